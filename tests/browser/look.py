"""What a page's look must hold in a browser: axe finds nothing, a strict policy holds, no other host is asked."""

from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe

#: WCAG 2.2, levels A and AA, with all that came before.
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: Neither a script nor a style in the page itself, and nothing from anywhere else.
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'"
)


def barriers(page) -> list[str]:
    """Return what axe finds wrong on the page as it is now: the rule, and where."""
    results = Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    return [
        f"{page.url}: {found['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:200]})"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


def serve_strictly(page, policy: str = STRICT) -> list[str]:
    """Have documents come with ``policy``; return a list that fills with what broke it and with other hosts asked."""
    broken: list[str] = []
    home: list[str] = []

    def with_policy(route):
        if route.request.resource_type != "document":
            route.continue_()
            return
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})

    def asked(request):
        host = urlsplit(request.url).netloc
        home.append(host)
        if host and host != home[0]:
            broken.append(f"another host: {request.url}")

    def said(message):
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            broken.append(f"{page.url}: {message.text}")

    page.route("**/*", with_policy)
    page.on("request", asked)
    page.on("console", said)
    return broken
