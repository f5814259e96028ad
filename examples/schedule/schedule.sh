#!/usr/bin/env bash
# Each night at three, by the clock of Berlin. Usage: schedule/schedule.sh URL
set -euo pipefail

curl --silent --show-error --fail-with-body "${QSTASH_URL:-http://127.0.0.1:8080}/v2/schedules/$1" \
  -H "Authorization: Bearer $QSTASH_TOKEN" -H "Content-Type: application/json" \
  -H "Upstash-Cron: CRON_TZ=Europe/Berlin 0 3 * * *" \
  -H "Upstash-Schedule-Id: nightly-report" `# run again, it changes this schedule and makes no second one` \
  -d '{"report":"yesterday"}'
echo
