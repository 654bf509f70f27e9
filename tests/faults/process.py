"""The shop as a process of its own, on the test's database, which can be killed, or cut off, at a named boundary.

It is forked from the test, so it starts at once, with the test's settings; the test must have no open connection.
"""

import http.client
import os
import re
import signal
import socket
import socketserver
import time
from email.header import decode_header, make_header
from importlib import import_module
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import connection, connections


class Lost(Exception):
    """The server went away before it answered."""


def patch(boundary, act):
    """Let ``act`` be called at a boundary: ``"package.module:Name.method:before"``, or ``after``."""
    module, name, moment = boundary.split(":")
    owner = import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    real = getattr(owner, last)

    def wrapped(*args, **kwargs):
        if moment == "before":
            act()
        answer = real(*args, **kwargs)
        if moment == "after":
            act()
        return answer

    setattr(owner, last, wrapped)


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def cut():
    """Let the database server end the connection of this thread, once."""
    if connection.vendor != "postgresql" or cut.done:
        return
    cut.done = True
    import psycopg

    pid = connection.connection.info.backend_pid
    told = connection.settings_dict
    with psycopg.connect(
        dbname=told["NAME"], user=told["USER"], password=told["PASSWORD"], host=told["HOST"], port=told["PORT"]
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])


cut.done = False


class Process:
    """Something that runs beside the test; ``boundary`` is where ``act`` befalls it."""

    def __init__(self, work, *, boundary=None, act=kill, **overrides):
        connections.close_all()
        self.pid = os.fork()
        if self.pid:
            return
        try:
            # A connection that is open here all the same is the test's: killed with it, its locks would stay.
            for alias in connections:
                del connections[alias]
            # Nothing of the test's may be flushed or torn down here.
            devnull = os.open(os.devnull, os.O_RDWR)
            os.dup2(devnull, 1)
            if "FAULTS_SHOW" not in os.environ:
                os.dup2(devnull, 2)
            for name, value in overrides.items():
                setattr(settings, name, value)
            if boundary is not None:
                patch(boundary, act)
            work()
        except BaseException:
            if "FAULTS_SHOW" in os.environ:
                import traceback

                traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def wait(self, seconds=30):
        """Return its exit code; minus the signal that ended it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        self.stop()
        raise AssertionError(f"It was still running after {seconds} seconds.")

    def stop(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


def mail_into(folder):
    """Return the settings with which mail is written into ``folder``."""
    return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": str(folder)}


class Shop(Process):
    """The shop's web server, with a thread for each request, as ``runserver`` has."""

    def __init__(self, *, mail, atomic=False, boundary=None, act=kill, port=0, **overrides):
        listener = socket.create_server(("127.0.0.1", port))
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

        def serve():
            from django.core.servers.basehttp import (
                ThreadedWSGIServer,
                WSGIRequestHandler,
                get_internal_wsgi_application,
            )

            connection.settings_dict["ATOMIC_REQUESTS"] = atomic
            connections.settings["default"]["ATOMIC_REQUESTS"] = atomic
            server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler, bind_and_activate=False)
            server.socket.close()
            server.socket = listener
            server.server_name, server.server_port = "127.0.0.1", self.port
            server.setup_environ()
            socketserver.ThreadingMixIn.daemon_threads = True
            server.set_app(get_internal_wsgi_application())
            server.serve_forever()

        super().__init__(
            serve,
            boundary=boundary,
            act=act,
            **mail_into(mail) | overrides,
        )
        listener.close()


class Window:
    """A browser's window, as far as HTTP goes: it keeps cookies and follows nothing by itself."""

    TOKEN = "a" * 32

    def __init__(self, cookies):
        self.cookies = {**cookies, "csrftoken": self.TOKEN}
        self.port = None

    def at(self, shop):
        self.port = shop.port
        return self

    def get(self, path):
        return self._ask("GET", path)

    def post(self, path, **data):
        return self._ask("POST", path, urlencode({"csrfmiddlewaretoken": self.cookies["csrftoken"], **data}))

    def _ask(self, method, path, body=None):
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            asked.request(method, path, body, headers)
            answer = asked.getresponse()
            text = answer.read().decode()
        except (http.client.HTTPException, OSError) as error:
            raise Lost(str(error)) from error
        finally:
            asked.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value.strip('"')
        target = urlsplit(answer.headers.get("Location") or "")
        return answer.status, f"{target.path}{'?' if target.query else ''}{target.query}", text


def mails(folder):
    """Return the subjects of what was sent."""
    found = []
    for path in sorted(Path(folder).glob("*.log")):
        headers = re.findall(r"^Subject: (.*)$", path.read_text(), re.MULTILINE)
        found += [str(make_header(decode_header(header))) for header in headers]
    return found


__all__ = ["Lost", "Process", "Shop", "Window", "cut", "kill", "mail_into", "mails"]
