import pytest


@pytest.fixture
def page(client, user):
    """The text of one of the user's member pages: ``page("history/")``."""
    client.force_login(user)

    def page(name="", status=200):
        response = client.get(f"/accounts/loyalty/{name}")
        assert response.status_code == status
        return response.content.decode().replace("\xa0", " ")

    return page
