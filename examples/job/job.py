"""A background job: acknowledged at once, delivered for sure. Usage: python3 job/job.py URL"""

import os
import sys

from qstash import QStash

client = QStash(os.environ["QSTASH_TOKEN"], base_url=os.environ["QSTASH_URL"])

published = client.message.publish_json(
    url=sys.argv[1],
    body={"task": "send the invoice", "order": 7},
    retries=5,
    deduplication_id="invoice-7",
)
print(published.message_id)
