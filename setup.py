import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def version():
    """Read the version from the package's source: importing it is not possible while it is being built."""
    source = (HERE / "oscar_loyalty" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "([^"]+)"', source, re.MULTILINE).group(1)


CLUB = ["wagtail>=7.4,<8.1", "django-guardian>=3.5,<4"]
CELERY = ["celery[redis]>=5.4"]
STRIPE = ["stripe>=16,<17"]
#: Signing passes (cryptography, PyJWT) and telling Apple over HTTP/2 (httpx with h2).
WALLET = ["cryptography>=44", "PyJWT>=2.8", "httpx[http2]>=0.27"]
SANDBOX = [
    *CLUB,
    *CELERY,
    *STRIPE,
    *WALLET,
    "django-appointment==3.12.*",
    # The Content-Security-Policy, with a nonce for Oscar's last script: MPL, kept by Mozilla.
    "django-csp>=4",
    "Pillow<13",
    "sorl-thumbnail>=12.11",
    "Whoosh>=2.7",
    "whitenoise>=6.7",
]
TEST = [
    *SANDBOX,
    # Weak spots in our code and in what we install: Apache, by the Python packaging and code-quality authorities.
    "bandit>=1.8",
    # axe (MPL) for Playwright (MIT): what a page lacks for those who use it otherwise than by eye and mouse.
    "axe-playwright-python>=0.1.4",
    "build>=1.2",
    "django-stubs>=5.2",
    "hypothesis>=6.100",
    "mypy>=1.15",
    "playwright>=1.48",
    "pip-audit>=2.9",
    "polib>=1.2",
    "psycopg[binary]>=3.2",
    "pytest>=8.3",
    "pytest-django>=4.11",
    "pytest-xdist>=3.6",
    "redis>=5",
    "ruff>=0.9",
    # The packaging test builds the wheel with what is installed, without the network.
    "setuptools>=77",
]
DOCS = ["sphinx>=8", "furo", "myst-parser>=4"]

setup(
    name="django-oscar-loyalty",
    version=version(),
    description="Points, tiers, gift cards, bookings and a members' club for shops on django-oscar.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    packages=find_packages(include=["oscar_loyalty", "oscar_loyalty.*", "wagtail_club", "wagtail_club.*"]),
    include_package_data=True,
    python_requires=">=3.11",
    install_requires=[
        "Django>=5.2,<6.1",
        "django-oscar>=4.2,<4.3",
        "django-i18nfield>=1.11",
        "openpyxl>=3.1",
        # openpyxl reads with it where it is there: entities in an uploaded file are refused. PSF licence, well kept.
        "defusedxml>=0.7",
        "python-stdnum>=2",
        # The gift card to print, and its QR code: both BSD, pure Python or wheels everywhere, and well kept.
        "reportlab>=4.2",
        "segno>=1.6",
        "tqdm>=4.66",
    ],
    extras_require={
        "club": CLUB,
        "stripe": STRIPE,
        "celery": CELERY,
        "wallet": WALLET,
        "sandbox": SANDBOX,
        "test": TEST,
        "docs": DOCS,
    },
    classifiers=[
        "Environment :: Web Environment",
        "Framework :: Django",
        "Framework :: Django :: 5.2",
        "Framework :: Django :: 6.0",
        "Framework :: Wagtail",
        "Intended Audience :: Developers",
        "Natural Language :: English",
        "Natural Language :: French",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Office/Business",
    ],
    zip_safe=False,
)
