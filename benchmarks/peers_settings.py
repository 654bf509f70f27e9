"""The shop of the tests with two peers beside us."""

from tests import settings as shop

globals().update({name: value for name, value in vars(shop).items() if name.isupper()})
INSTALLED_APPS = [*shop.INSTALLED_APPS, "oscar_accounts", "mptt", "djmoney", "hordak"]
# They name a field that Django has dropped (IPAddressField); without them it runs as it is, its tables made from its
# models, as all others here.
MIGRATION_MODULES = {**shop.MIGRATION_MODULES, "oscar_accounts": None}
