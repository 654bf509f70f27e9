"""The hosted pages: the form for a card, the bank's question, and what is shown once it is over. No script anywhere."""

import re
from html import escape
from typing import NamedTuple
from urllib.parse import parse_qs

from . import cards, errors
from .books import books
from .desk import Desk
from .money import written
from .resources import sessions
from .store import Scope
from .texts import TEXTS, language

#: The card behind each of the other buttons.
INSTEAD = {"declined": cards.BAD, "three_d_secure": cards.BY_NUMBER["4000002500003155"]}
#: How many payments the page behind the scenes shows, and which of their sums.
NEWEST, SUMS = 20, ("amount", "captured", "refunded")


class Answer(NamedTuple):
    status: int
    body: str
    headers: dict


def redirect(url):
    return Answer(303, "", {"Location": url})


class Words:
    """The sentences of one language, with the shop's name, ready for HTML."""

    def __init__(self, name, shop):
        self.language, self.texts, self.shop = name, TEXTS[name], shop

    def __call__(self, key, **values):
        return escape(self.texts[key].format(shop=self.shop, **values))

    def state(self, name):
        return escape(self.texts["states"][name])

    def error(self, code):
        return escape(self.texts["errors"].get(code, self.texts["errors"]["card_declined"]))


class Pages:
    def __init__(self, server):
        self.server = server

    def call(self, method, path, text, headers):
        found = re.fullmatch(r"/c/pay/(cs_\w+)(/3ds)?", path)
        session = self.server.store.get("checkout.session", found[1]) if found else None
        words = Words(language(session and session["locale"], headers.get("Accept-Language")), self.server.name)
        if path == "/":
            return self.page(words, "behind_title", self.behind_the_scenes(words), kind="wide")
        if session is None:
            return self.page(words, "missing_title", f"<p>{words('missing')}</p>", status=404)
        self.server.sweep()
        given = {name: values[0] for name, values in parse_qs(text).items()} if method == "POST" else {}
        return self.three_d_secure(session.id, words, given) if found[2] else self.form(session.id, words, given)

    def behind_the_scenes(self, words):
        """The newest payments of the shop's test mode, for a person who looks behind the scenes."""
        payments = list(books(self.server.store, Scope(self.server.account, False))["payment_intents"].items())
        if not payments:
            return f"<p>{words('none')}</p>"
        head = "".join(f'<th scope="col">{words(key)}</th>' for key in ("payment", "state", *SUMS))
        rows = "".join(self.payment(words, id, found) for id, found in payments[: -NEWEST - 1 : -1])
        return f"""<p>{words("behind", number=NEWEST)}</p>
<div class="scroll" role="region" tabindex="0" aria-label="{words("behind_title")}">
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
</div>"""

    def payment(self, words, id, found):
        name = escape(found["client_reference_id"] or id)
        sums = "".join(f"<td>{escape(written(found[key], found['currency'], words.language))}</td>" for key in SUMS)
        return f'<tr><th scope="row">{name}</th><td>{words.state(found["status"])}</td>{sums}</tr>'

    def form(self, id, words, given):
        if not given:
            return self.show(id, words)
        action = given.get("action")
        typed = given.get("number", "")

        def pay(desk, session):
            card = INSTEAD.get(action) or cards.find(typed)
            return sessions.pay(desk, session, card, given.get("email", "").strip() or None)

        return self.act(id, words, pay, typed, given.get("email", ""))

    def three_d_secure(self, id, words, given):
        if not given:
            return self.show(id, words)
        passed = given.get("action") == "complete"
        return self.act(id, words, lambda desk, session: sessions.authenticate(desk, session, passed=passed))

    def act(self, id, words, what, typed=None, email=""):
        """Do it once, whoever else presses at the same moment, and show what came of it."""
        problem = None
        with self.server.store.transaction():
            session = self.server.store.get("checkout.session", id)
            try:
                session = what(Desk(self.server, session.scope), session)
            except errors.CardError as error:
                problem = error.more.get("decline_code") or error.code
            except errors.Refused:
                session = self.server.store.get("checkout.session", id)
        self.server.webhooks.nudge()
        if problem:
            return self.show(id, words, problem, typed, email)
        if session["status"] == "complete":
            return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", id))
        return redirect(f"/c/pay/{id}/3ds" if session["status"] == "open" else f"/c/pay/{id}")

    def show(self, id, words, problem=None, typed=None, email=""):
        session = self.server.store.get("checkout.session", id)
        if session["status"] == "complete":
            link = session["success_url"].replace("{CHECKOUT_SESSION_ID}", id)
            return self.over(words, "paid", link)
        if session["status"] == "expired":
            return self.over(words, "expired", session["cancel_url"])
        intent = session["payment_intent"] and self.server.store.get("payment_intent", session["payment_intent"])
        amount = written(session["amount_total"], session["currency"], words.language)
        if intent and intent["status"] == "requires_action":
            return self.page(words, "bank", self.question(id, words, amount))
        content = self.two_sides(session, words, amount, problem, typed, email)
        return self.page(words, "title", content, kind="wide", problem=problem)

    def over(self, words, what, link):
        back = f'<p><a class="button" href="{escape(link)}">{words("back")}</a></p>' if link else ""
        return self.page(words, f"{what}_title", f"<p>{words(what)}</p>{back}")

    def question(self, id, words, amount):
        return f"""<p>{words("bank_question", amount=amount)}</p>
<form method="post" action="/c/pay/{id}/3ds" class="buttons">
<button class="button" name="action" value="complete">{words("complete")}</button>
<button class="button quiet" name="action" value="fail">{words("fail")}</button>
</form>"""

    def two_sides(self, session, words, amount, problem, typed, email):
        items = "".join(
            f"<li><span>{self.item(words, item)}</span>"
            f"<span>{escape(written(item['amount_total'], item['currency'], words.language))}</span></li>"
            for item in session.private["line_items"]
        )
        alert = self.alert(words, problem) if problem else ""
        shown = escape(typed if typed is not None else "4242 4242 4242 4242")
        mail = (
            f"<p>{escape(session['customer_email'])}</p>"
            if session["customer_email"]
            else f'<label for="email">{words("email")} <small>({words("optional")})</small></label>'
            f'<input id="email" name="email" type="email" autocomplete="email" value="{escape(email)}">'
        )
        invalid = ' aria-invalid="true"' if problem == "incorrect_number" else ""
        leave = (
            f'<p class="leave"><a href="{escape(session["cancel_url"])}">{words("leave")}</a></p>'
            if session["cancel_url"]
            else ""
        )
        return f"""<div class="sides">
<section aria-labelledby="summary">
<h2 id="summary">{words("summary")}</h2>
<ul class="items">{items}</ul>
<p class="total"><span>{words("total")}</span><strong>{escape(amount)}</strong></p>
</section>
<section aria-labelledby="card">
<h2 id="card">{words("card")}</h2>
{alert}
<form method="post" action="/c/pay/{session.id}">
{mail}
<label for="number">{words("number")}</label>
<input id="number" name="number" inputmode="numeric" autocomplete="off" spellcheck="false" value="{shown}" required
aria-describedby="number-help"{invalid}>
<p id="number-help" class="help">{words("number_help")}</p>
<button class="button" name="action" value="pay">{words("pay", amount=amount)}</button>
<p class="or">{words("others")}</p>
<div class="others">
<button class="button quiet" name="action" value="declined" formnovalidate>{words("declined")}</button>
<button class="button quiet" name="action" value="three_d_secure" formnovalidate>{words("three_d_secure")}</button>
</div>
</form>
{leave}
</section>
</div>"""

    def alert(self, words, problem):
        return f"""<div class="problem" role="alert" tabindex="-1" autofocus>
<strong>{words("problem")}</strong><p>{words.error(problem)} {words("again")}</p></div>"""

    def item(self, words, item):
        if item["quantity"] == 1:
            return escape(item["description"])
        return words("quantity", name=item["description"], quantity=item["quantity"])

    def page(self, words, title, content, *, status=200, kind="narrow", problem=None):
        body = f"""<!doctype html>
<html lang="{words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{words("problem") + " – " if problem else ""}{words(title)} – {escape(words.shop)}</title>
<link rel="stylesheet" href="/assets/pay.css">
<link rel="icon" href="data:,">
</head>
<body>
<p class="demo">{words("demo")}</p>
<main class="{kind}">
<p class="shop">{escape(words.shop)}</p>
<h1>{words(title)}</h1>
{content}
</main>
</body>
</html>
"""
        return Answer(status, body, {"Cache-Control": "no-store"})
