"""The hosted pages: the form for a card, the bank's question, and what is shown once it is over. No script anywhere."""

import re
from html import escape
from typing import NamedTuple
from urllib.parse import parse_qs

from . import cards, errors
from .desk import Desk
from .money import written
from .resources import sessions
from .texts import TEXTS, language

#: The card behind each of the other buttons.
INSTEAD = {"declined": cards.BAD, "three_d_secure": cards.BY_NUMBER["4000002500003155"]}


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

    def error(self, code):
        return escape(self.texts["errors"].get(code, self.texts["errors"]["card_declined"]))


class Pages:
    def __init__(self, server):
        self.server = server

    def call(self, method, path, text, headers):
        found = re.fullmatch(r"/c/pay/(cs_\w+)(/3ds)?", path)
        session = self.server.store.get("checkout.session", found[1]) if found else None
        words = Words(language(session and session["locale"], headers.get("Accept-Language")), self.server.name)
        if session is None:
            return self.page(words, "missing_title", f"<p>{words('missing')}</p>", status=404)
        self.server.sweep()
        given = {name: values[0] for name, values in parse_qs(text).items()} if method == "POST" else {}
        return self.three_d_secure(session.id, words, given) if found[2] else self.form(session.id, words, given)

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
                problem = error.code
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
        return self.page(words, "title", self.two_sides(session, words, amount, problem, typed, email), wide=True)

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
        alert = (
            f'<div class="problem" role="alert"><strong>{words("problem")}</strong><p>{words.error(problem)} '
            f"{words('again')}</p></div>"
            if problem
            else ""
        )
        shown = escape(typed if typed is not None else "4242 4242 4242 4242")
        mail = (
            f"<p>{escape(session['customer_email'])}</p>"
            if session["customer_email"]
            else f'<label for="email">{words("email")} <small>({words("optional")})</small></label>'
            f'<input id="email" name="email" type="email" autocomplete="email" value="{escape(email)}">'
        )
        invalid = ' aria-invalid="true"' if problem else ""
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
<button class="button quiet" name="action" value="declined">{words("declined")}</button>
<button class="button quiet" name="action" value="three_d_secure">{words("three_d_secure")}</button>
</div>
</form>
{leave}
</section>
</div>"""

    def item(self, words, item):
        if item["quantity"] == 1:
            return escape(item["description"])
        return words("quantity", name=item["description"], quantity=item["quantity"])

    def page(self, words, title, content, *, status=200, wide=False):
        body = f"""<!doctype html>
<html lang="{words.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{words(title)}</title>
<link rel="stylesheet" href="/assets/pay.css">
<link rel="icon" href="data:,">
</head>
<body>
<p class="demo">{words("demo")}</p>
<main{"" if wide else ' class="narrow"'}>
<p class="shop">{escape(words.shop)}</p>
<h1>{words(title)}</h1>
{content}
</main>
</body>
</html>
"""
        return Answer(status, body, {"Cache-Control": "no-store"})
