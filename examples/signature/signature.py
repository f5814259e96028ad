"""An endpoint that takes nothing but what the service has signed. Usage: PORT=3000 python3 signature/signature.py"""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from qstash import Receiver

receiver = Receiver(
    current_signing_key=os.environ["QSTASH_CURRENT_SIGNING_KEY"],
    next_signing_key=os.environ["QSTASH_NEXT_SIGNING_KEY"],
)


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        url = f"http://{self.headers['Host']}{self.path}"
        try:
            receiver.verify(signature=self.headers.get("Upstash-Signature", ""), body=body, url=url)
            print(f"signed: {body}", flush=True)
            self.send_response(200)
        except Exception:  # whatever is wrong with it
            self.send_response(401)
        self.end_headers()


server = HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Endpoint)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
