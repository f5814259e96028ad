"""Each night at three, by the clock of Berlin. Usage: python3 schedule/schedule.py URL"""

import os
import sys

from qstash import QStash

client = QStash(os.environ["QSTASH_TOKEN"], base_url=os.environ["QSTASH_URL"])

schedule_id = client.schedule.create_json(
    destination=sys.argv[1],
    cron="CRON_TZ=Europe/Berlin 0 3 * * *",
    schedule_id="nightly-report",  # run again, it changes this schedule and makes no second one
    body={"report": "yesterday"},
)
print(schedule_id)
