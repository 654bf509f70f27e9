"""A browser that is answered by the test itself: it sees what the test's transaction has written, without a server.

Scripts of ours run, and may ask for more; nothing may be asked of another host.
"""

import mimetypes
from contextvars import copy_context
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders

#: As :data:`tests.browser.look.STRICT` says, but only told: what breaks it is done all the same.
POLICY = "script-src 'self' 'report-sample'; style-src 'self' 'report-sample'"
LISTEN = """
    window.broken = [];
    document.addEventListener("securitypolicyviolation", (event) => window.broken.push(
        [event.effectiveDirective, event.blockedURI, event.sample].join(" ").replace(/\\s+/g, " ").trim()
    ));
"""
UNSEEN = (".css", ".png", ".jpg", ".svg", ".webp", ".woff", ".woff2", ".ttf")
#: Oscar takes it from another host.
JQUERY = "oscar/js/jquery/jquery.min.js"


class Within:
    """``client`` answers ``page``; the paths of ``known`` are answered with what stands there."""

    def __init__(self, page, client, host):
        self.page, self.client, self.home = page, client, f"http://{host}"
        self.known, self.files, self.asked = {}, {}, []
        # Playwright calls back where Django would open another connection, which does not see the test's transaction.
        self.context = copy_context()
        page.add_init_script(LISTEN)
        page.route("**/*", self.answer)

    def answer(self, route):
        url = urlsplit(route.request.url)
        path = url.path + (f"?{url.query}" if url.query else "")
        if f"{url.scheme}://{url.netloc}" != self.home:
            if "jquery" not in url.path:
                self.asked.append(route.request.url)
            self.send(route, JQUERY if "jquery" in url.path else "")
        elif url.path.startswith(settings.STATIC_URL):
            self.send(route, url.path.removeprefix(settings.STATIC_URL))
        elif route.request.method != "GET":
            route.abort()
        else:
            response = self.known.pop(path, None) or self.context.run(self.client.get, path)
            body = b"".join(response.streaming_content) if response.streaming else response.content
            headers = {"content-type": response.headers.get("Content-Type", "text/html")}
            headers["content-security-policy-report-only"] = POLICY
            route.fulfill(status=response.status_code, headers=headers, body=body)

    def send(self, route, name):
        if name not in self.files:
            # How it looks is another question, and Oscar's editor of texts is large.
            found = None if not name or name.endswith(UNSEEN) or "tinymce" in name else finders.find(name)
            kind = mimetypes.guess_type(name)[0] or "text/plain"
            self.files[name] = (200, kind, Path(found).read_bytes()) if found else (404, kind, b"")
        status, kind, body = self.files[name]
        route.fulfill(status=status, headers={"content-type": kind}, body=body)

    def open(self, path, response=None):
        """Open a page, and return what broke the policy on it."""
        if response is not None:
            self.known[path] = response
        self.page.goto(self.home + path)
        return set(self.page.evaluate("window.broken"))
