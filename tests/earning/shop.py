"""A shop that takes one order and may be killed over it: ``python -m tests.earning.shop 1001 signal atomic``."""

import sys

import django


def main(number, die, atomic):
    django.setup()
    from django.db import connections
    from django.test import Client, override_settings

    connections.settings["default"]["ATOMIC_REQUESTS"] = atomic == "atomic"
    with override_settings(ROOT_URLCONF="tests.earning.urls"):
        Client().get("/place/", {"number": number, "die": die})


if __name__ == "__main__":
    main(*sys.argv[1:])
