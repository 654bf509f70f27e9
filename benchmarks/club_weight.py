"""What the club's pages weigh in a browser: requests, bytes and queries, in the running demo shop.

    make sandbox                                                  (in another window)
    python benchmarks/club_weight.py [--base http://127.0.0.1:8000] [--json]

Each page is opened with an empty cache, as wide as a phone and as a desk, down to its end, so that late pictures
count as well; "first" is what there is before one scrolls. Bytes are those of the answers as they are sent, without
the compression that a web server adds to texts. Queries are those of the demo's database for the page itself.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")
PAGES = [
    ("club home, visitor", "/club/", ""),
    ("club home, Gold", "/club/", "gold@example.com"),
    ("section, Gold", "/club/offers/", "gold@example.com"),
    ("how-to, Gold", "/club/how-to/blow-dry/", "gold@example.com"),
    ("teaser, visitor", "/club/notebook/", ""),
    ("member area, Gold", "/club/me/", "gold@example.com"),
    ("card, Gold", "/club/me/card/", "gold@example.com"),
]


def queries(path: str, email: str) -> int:
    """Count the queries of a page that has been asked for before."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "127.0.0.1"})
    if email:
        client.force_login(get_user_model().objects.get(email=email))
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        client.get(path)
    return len(asked)


def weigh(browser, base: str, path: str, email: str, width: int) -> dict:
    """Open a page with an empty cache and count what comes."""
    context = browser.new_context(viewport={"width": width, "height": 844}, base_url=base, device_scale_factor=1)
    page = context.new_page()
    if email:
        from sandbox.shop.data.people import PASSWORD

        page.goto("/accounts/login/")
        page.fill("#id_login-username", email)
        page.fill("#id_login-password", PASSWORD)
        page.click("[name=login_submit]")
        page.wait_for_url(lambda url: "/login/" not in url)
    came: list[tuple[str, int]] = []
    wire = context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    wire.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    wire.on(
        "Network.loadingFinished",
        lambda event: came.append((kinds.get(event["requestId"], "Other"), int(event["encodedDataLength"]))),
    )
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(path)
    page.wait_for_load_state("networkidle")
    first = (len(came), sum(size for _kind, size in came))
    page.evaluate(
        """() => Promise.all([...document.images].map((image) => {
            image.loading = "eager";
            return image.decode().catch(() => null);
        }))"""
    )
    found = {
        "first": {"requests": first[0], "bytes": first[1]},
        "all": {"requests": len(came), "bytes": sum(size for _kind, size in came)},
        "images": sum(size for kind, size in came if kind == "Image"),
        "document": sum(size for kind, size in came if kind == "Document"),
        "styles": sum(size for kind, size in came if kind == "Stylesheet"),
        "scripts": sum(size for kind, size in came if kind == "Script"),
    }
    context.close()
    return found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--base", default="http://127.0.0.1:8000")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    django.setup()
    from playwright.sync_api import sync_playwright

    # Playwright runs a loop of its own in this thread, where Django would refuse to ask a database.
    counted = {(path, email): queries(path, email) for _name, path, email in PAGES}
    rows = []
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, path, email in PAGES:
            for width in (1280, 390):
                found = weigh(browser, chosen.base, path, email, width)
                rows.append({"page": name, "width": width, "queries": counted[path, email], **found})
        browser.close()
    if chosen.json:
        print(json.dumps(rows, indent=1))
        return 0
    print(f"{'page':22}{'width':>6}{'queries':>8}{'first':>16}{'to the end':>16}   html, css, js, pictures (kB)")
    for row in rows:
        parts = ", ".join(f"{row[kind] / 1000:.0f}" for kind in ("document", "styles", "scripts", "images"))
        first, whole = (f"{row[k]['requests']}, {row[k]['bytes'] / 1000:.0f} kB" for k in ("first", "all"))
        print(f"{row['page']:22}{row['width']:6}{row['queries']:8}{first:>16}{whole:>16}   {parts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
