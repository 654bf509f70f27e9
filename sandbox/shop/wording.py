"""Oscar's words that the salon says otherwise in French, and those that Oscar leaves in English.

Nothing imports them: they stand here for ``makemessages``, which then keeps them in the salon's catalogue. Django
looks there before it looks in Oscar's.
"""

from django.utils.translation import gettext_noop, ngettext_lazy, pgettext_lazy

#: Statuses are words of the database: settings name them, orders carry them.
STATUSES = [
    gettext_noop("Pending"),
    gettext_noop("Being processed"),
    gettext_noop("Complete"),
    gettext_noop("Cancelled"),
]

SHELVES = [
    gettext_noop("Sort by"),
    gettext_noop("In stock (%d available)"),
    gettext_noop('\n        Products matching "%(q)s"\n    '),
    ngettext_lazy(
        "\n                    Found <strong>%(num_results)s</strong> result.\n                ",
        "\n                    Found <strong>%(num_results)s</strong> results.\n                ",
        "num_results",
    ),
]

CHECKOUT = [
    gettext_noop("Checkout now"),
    gettext_noop("Proceed to checkout"),
    gettext_noop("I have a voucher code..."),
    gettext_noop("Where should we ship to?"),
    gettext_noop("First line of address"),
    gettext_noop("Second line of address"),
    gettext_noop("Third line of address"),
    gettext_noop("State/County"),
    gettext_noop("4. Preview"),
    gettext_noop("Order preview"),
    gettext_noop("Preview order"),
    gettext_noop("Shipping method"),
    gettext_noop("Order contents"),
    gettext_noop("\n        Order %(number)s: confirmation\n    "),
    gettext_noop(
        "\n        Your order has been placed and a confirmation email has been sent - your order number is\n"
        "        <strong>%(number)s</strong>.\n        "
    ),
    gettext_noop(
        "Please make a note of this reference or print this page and quote it in any communication with us regarding "
        "your order."
    ),
]

ACCOUNT = [
    gettext_noop("Order History"),
    gettext_noop("Order history"),
    gettext_noop("Order #%(number)s"),
    gettext_noop("Line price excl. tax"),
    gettext_noop("Line price incl. tax"),
    pgettext_lazy("Buy again", "Re-order"),
    pgettext_lazy("Buy again", "Re-order all items"),
    gettext_noop("Contact Number"),
    gettext_noop("Shipping Notes"),
    gettext_noop("Email History"),
    gettext_noop("Email history"),
    gettext_noop("No emails found"),
    gettext_noop("Address Book"),
    gettext_noop("Product Alerts"),
    gettext_noop("Wish Lists"),
    gettext_noop("Date registered"),
    gettext_noop("Date submitted"),
    gettext_noop("Thanks for registering!"),
    gettext_noop("Thank you for registering."),
]
