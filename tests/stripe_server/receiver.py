import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stripe


class Receiver:
    """A webhook endpoint: keeps what it is sent, and answers with the statuses of ``answers`` first, then 200."""

    def __init__(self, secret):
        self.secret, self.answers, self.got = secret, [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                payload = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.got.append((payload, self.headers.get("Stripe-Signature")))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def events(self):
        """What came, each verified as a shop does it."""
        return [stripe.Webhook.construct_event(payload, header, self.secret) for payload, header in self.got]

    def types(self):
        return [event.type for event in self.events()]
