"""Ties a test to the numbers of stripe_server/CONTRACT.md that it proves."""


def promises(*numbers):
    def mark(test):
        test.promises = numbers
        return test

    return mark
