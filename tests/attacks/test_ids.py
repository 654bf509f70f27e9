"""On no page of ours two things have the same id, also where what is shown was made by others."""

from tests.attacks.test_scripts import all_pages, rich  # noqa: F401
from tests.ids import ids_of, twice


def test_no_id_twice(all_pages):  # noqa: F811
    told, seen = {}, {}
    for client, name, url in all_pages:
        page = client.get(url)
        if page.status_code == 200 and "html" in page.headers["Content-Type"]:
            seen[name] = len(ids_of(page))
            if found := twice(page):
                told[name] = f"{name} {url}: {sorted(found)}"
    assert not told, "\n".join(told.values())
    # Else the walk proved nothing.
    assert len(seen) > 80 and sum(seen.values()) > 1000, (len(seen), sum(seen.values()))
