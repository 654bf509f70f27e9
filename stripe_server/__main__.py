"""``python -m stripe_server --port 8011 --state FILE --webhook URL``: the first line it prints is its address."""

import argparse
import signal
import threading

from .server import TEST_KEY, WEBHOOK_SECRET, Server


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m stripe_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--state", help="a file that keeps the books; without it they are gone with the process")
    parser.add_argument("--webhook", help="where the shop hears of events")
    parser.add_argument("--secret", default=WEBHOOK_SECRET, help="the webhook's signing secret")
    parser.add_argument("--public-url", help="the address customers' browsers use, when it is another")
    parser.add_argument("--name", default="Maison Pétale", help="the shop's name on the payment page")
    options = parser.parse_args(arguments)
    server = Server(
        host=options.host,
        port=options.port,
        state=options.state,
        webhook_url=options.webhook,
        webhook_secret=options.secret,
        public_url=options.public_url,
        name=options.name,
    )
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    server.start()
    print(server.url, flush=True)
    print(f"API key {TEST_KEY}, webhook secret {options.secret}", flush=True)
    ended.wait()
    server.stop()


if __name__ == "__main__":
    main()
