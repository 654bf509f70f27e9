"""How objects are shown: expanded where asked for, and in pages."""

from . import errors
from .resources import sessions

#: What may be expanded, and the kind of object it becomes.
EXPANDABLE = {
    "checkout.session": {"payment_intent": "payment_intent", "line_items": None},
    "payment_intent": {"latest_charge": "charge"},
    "charge": {"payment_intent": "payment_intent", "refunds": None},
    "refund": {"charge": "charge", "payment_intent": "payment_intent"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
}
DEEPEST = 4


def shown(desk, row, paths=()):
    body = dict((sessions.shown(desk, row) if row["object"] == "checkout.session" else row).body)
    for path in paths:
        if path.count(".") >= DEEPEST:
            raise errors.InvalidRequest("You cannot expand more than 4 levels of a property.", param="expand")
    for name in dict.fromkeys(path.partition(".")[0] for path in paths):
        allowed = EXPANDABLE.get(body["object"], {})
        if name not in allowed:
            raise errors.InvalidRequest(f"This property cannot be expanded ({name}).", param="expand")
        deeper = [path.partition(".")[2] for path in paths if path.startswith(name + ".")]
        if name == "line_items":
            body[name] = as_list(row.private["line_items"], f"/v1/checkout/sessions/{row.id}/line_items")
        elif name == "refunds":
            mine = [one for one in desk.many("refund") if one["charge"] == row.id]
            body[name] = as_list([one.body for one in mine], f"/v1/charges/{row.id}/refunds")
        elif body.get(name):
            body[name] = shown(desk, desk.get(allowed[name], body[name]), deeper)
    return body


def as_list(data, url, has_more=False):
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def page(desk, rows, params, url):
    """Newest first, ten at a time, from a cursor (docs.stripe.com/api/pagination)."""
    ids = [row.id for row in rows]
    limit = params.get("limit", 10)
    cursor = params.get("starting_after") or params.get("ending_before")
    if cursor and cursor not in ids:
        name = "starting_after" if "starting_after" in params else "ending_before"
        raise errors.no_such(url.rsplit("/", 1)[1].rstrip("s"), cursor, name)
    if "ending_before" in params:
        before = rows[: ids.index(cursor)]
        chosen, more = before[-limit:], len(before) > limit
    else:
        after = rows[ids.index(cursor) + 1 :] if cursor else rows
        chosen, more = after[:limit], len(after) > limit
    paths = []
    for path in params.get("expand", []):
        if not path.startswith("data."):
            raise errors.InvalidRequest(f"This property cannot be expanded ({path}).", param="expand")
        paths.append(path[len("data.") :])
    return as_list([shown(desk, row, paths) for row in chosen], url, more)
