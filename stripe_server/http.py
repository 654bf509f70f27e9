"""The way in: one thread for each connection, and what to do with each address."""

import json
import socket
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .api import Cut

STYLE = Path(__file__).with_name("pay.css")
JSON = "application/json"


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, server):
        self.app = server
        super().__init__(address, Handler)

    def handle_error(self, request, client_address):
        """A client that goes away in the middle is nothing to report."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Quiet: ``/_control`` tells what happened."""

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")

    def answer(self, method):
        parts = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        app = self.server.app
        try:
            if parts.path.startswith("/v1/"):
                found = app.api.call(method, parts.path, text if method == "POST" else parts.query, self.headers)
                self.send(found.status, found.body, {"Content-Type": JSON, **found.headers})
            elif parts.path.startswith("/_control/"):
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                status, body = app.control.call(parts.path.removeprefix("/_control/"), query, text)
                self.send(status, json.dumps(body, indent=2), {"Content-Type": JSON})
            elif parts.path == "/assets/pay.css":
                self.send(200, STYLE.read_text(encoding="utf-8"), {"Content-Type": "text/css; charset=utf-8"})
            else:
                found = app.pages.call(method, parts.path, text, self.headers)
                self.send(found.status, found.body, {"Content-Type": "text/html; charset=utf-8", **found.headers})
        except Cut:
            self.cut()
        except Exception:
            self.send(500, json.dumps({"error": {"type": "api_error", "message": traceback.format_exc()}}), {})

    def send(self, status, body, headers):
        data = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        # Headers and body leave in one piece: two would wait for each other's acknowledgement.
        self._headers_buffer.append(b"\r\n" + data)
        self.flush_headers()

    def cut(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
