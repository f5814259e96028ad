#!/usr/bin/env bash
# A background job: acknowledged at once, delivered for sure. Usage: job/job.sh URL
set -euo pipefail

curl --silent --show-error --fail-with-body "${QSTASH_URL:-http://127.0.0.1:8080}/v2/publish/$1" \
  -H "Authorization: Bearer $QSTASH_TOKEN" -H "Content-Type: application/json" \
  -H "Upstash-Retries: 5" -H "Upstash-Deduplication-Id: invoice-7" \
  -d '{"task":"send the invoice","order":7}'
echo
