"""Calls a URL, and takes what it answers from the callback. Usage: python3 callback/callback.py URL"""

import base64
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from qstash import QStash

client = QStash(os.environ["QSTASH_TOKEN"], base_url=os.environ["QSTASH_URL"])


class Answered(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        callback = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = base64.b64decode(callback["body"]).decode()  # the answer's body is base64
        print(f"answered {callback['status']}: {answer}", flush=True)
        self.send_response(200)
        self.end_headers()


server = HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Answered)
url = f"http://127.0.0.1:{server.server_port}/answered"
client.message.publish_json(
    url=sys.argv[1],
    body={"question": "how many are in stock?"},
    callback=url,
    failure_callback=url,  # when all retries are used up
)
server.handle_request()
