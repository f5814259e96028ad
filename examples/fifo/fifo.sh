#!/usr/bin/env bash
# One after the other, in order: the next one waits until the one before has been answered. Usage: fifo/fifo.sh URL
set -euo pipefail

for step in pack label ship; do
  curl --silent --show-error --fail-with-body "${QSTASH_URL:-http://127.0.0.1:8080}/v2/enqueue/orders/$1" \
    -H "Authorization: Bearer $QSTASH_TOKEN" -H "Content-Type: application/json" \
    -d "{\"order\":7,\"step\":\"$step\"}"
  echo
done
