#!/usr/bin/env bash
# Calls URL, and brings what it answers to CALLBACK_URL. Usage: callback/callback.sh URL CALLBACK_URL
set -euo pipefail

curl --silent --show-error --fail-with-body "${QSTASH_URL:-http://127.0.0.1:8080}/v2/publish/$1" \
  -H "Authorization: Bearer $QSTASH_TOKEN" -H "Content-Type: application/json" \
  -H "Upstash-Callback: $2" -H "Upstash-Failure-Callback: $2" \
  -d '{"question":"how many are in stock?"}'
echo
