"""One after the other, in order: the next one waits until the one before has been answered. Usage: python3 fifo/fifo.py URL"""

import os
import sys

from qstash import QStash

client = QStash(os.environ["QSTASH_TOKEN"], base_url=os.environ["QSTASH_URL"])

for step in ["pack", "label", "ship"]:
    enqueued = client.message.enqueue_json(queue="orders", url=sys.argv[1], body={"order": 7, "step": step})
    print(enqueued.message_id)
