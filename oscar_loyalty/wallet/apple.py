"""Apple's pass: a zip of ``pass.json``, its pictures, a manifest of their digests, and the shop's signature over it.

The form is that of Apple's "Wallet Passes" documentation: a store card. Nothing of it needs a library beyond
``cryptography``, which signs.
"""

import hashlib
import io
import json
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty.colours import text_on
from oscar_loyalty.defaults import conf
from oscar_loyalty.icons import scaled
from oscar_loyalty.members.services import language_of
from oscar_loyalty.wallet.contents import Contents
from oscar_loyalty.wallet.exceptions import WalletOff

MIME = "application/vnd.apple.pkpass"
#: Names and edges, in pixels, of the pictures that Apple asks for.
ICONS = {"icon.png": 29, "icon@2x.png": 58, "icon@3x.png": 87, "logo.png": 50, "logo@2x.png": 100, "logo@3x.png": 150}


def is_on() -> bool:
    """Whether the shop has named all that a pass needs; whether it can be read, the system check says."""
    return all((conf.WALLET_APPLE_TYPE, conf.WALLET_APPLE_TEAM, conf.WALLET_APPLE_CERTIFICATE, conf.WALLET_APPLE_WWDR))


def signer() -> Any:
    """Return the shop's certificate, its key and Apple's intermediate certificate.

    Raises :exc:`WalletOff` with what is wrong when they are missing or cannot be read.
    """
    if not is_on():
        raise WalletOff("No certificate for Apple's passes has been named.")
    files = [Path(conf.WALLET_APPLE_CERTIFICATE), Path(conf.WALLET_APPLE_WWDR)]
    try:
        # A certificate that is replaced counts at once.
        return _signer(*files, conf.WALLET_APPLE_PASSWORD, tuple(file.stat().st_mtime_ns for file in files))
    except (OSError, ValueError, TypeError) as error:
        raise WalletOff(f"The certificate of Apple's passes cannot be read: {error}") from error
    except ImportError as error:
        raise WalletOff("Install django-oscar-loyalty[wallet] to make passes.") from error


@lru_cache(maxsize=4)
def _signer(certificate: Path, wwdr: Path, password: str, changed: tuple[int, ...]) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = certificate.read_bytes()
    key = load_pem_private_key(pem, password.encode() or None)
    return x509.load_pem_x509_certificate(pem), key, x509.load_pem_x509_certificate(wwdr.read_bytes())


def build(*, contents: Contents, serial: Any, token: str, service_url: str, shop_url: str) -> bytes:
    """Return the ``.pkpass``. Without an ``https`` address of the web service the pass works, but is never updated.

    Raises :exc:`WalletOff` without a certificate.
    """
    certificate, key, wwdr = signer()
    body = _body(contents, str(serial), shop_url)
    if service_url.startswith("https://"):
        body.update(webServiceURL=service_url, authenticationToken=token)
    files = {"pass.json": json.dumps(body, ensure_ascii=False).encode(), **icons(conf.WALLET_ICON)}
    # SHA-1 is what Apple asks for; the signature over the manifest has a better one.
    sums = {name: hashlib.sha1(data, usedforsecurity=False).hexdigest() for name, data in files.items()}
    manifest = json.dumps(sums).encode()
    files |= {"manifest.json": manifest, "signature": _sign(manifest, certificate, key, wwdr)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _sign(manifest: bytes, certificate: Any, key: Any, wwdr: Any) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    signature = pkcs7.PKCS7SignatureBuilder().set_data(manifest).add_signer(certificate, key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    return signature.add_certificate(wwdr).sign(Encoding.DER, options)


def _body(contents: Contents, serial: str, shop_url: str) -> dict[str, Any]:
    def field(key: str, label: str, value: Any, **more: Any) -> dict[str, Any]:
        return {"key": key, "label": label, "value": value, **more}

    with language_of(contents):
        secondary = [field("name", _("Member"), contents.name)] if contents.name else []
        if contents.tier:
            secondary.append(
                field("tier", _("Tier"), contents.tier, changeMessage=_("You are %(tier)s now.") % {"tier": "%@"})
            )
        # On the front: a card that is on hold is seen to be so before it is shown at the till.
        header = [field("state", _("Membership"), contents.state)] if contents.state else []
        facts = [
            ("pending", _("On the way"), contents.pending),
            ("expiry", _("Next to expire"), contents.expiry),
            ("number", _("Card number"), contents.number),
            ("notice", _("Please note"), contents.notice),
            ("shop", _("Shop"), shop_url),
        ]
        message = _("You have %(points)s %(name)s.") % {"points": "%@", "name": contents.points_name}
        points = field("points", contents.points_name, contents.points, changeMessage=message)
        description = _("Card of %(name)s") % {"name": contents.programme}
    colour = text_on(contents.colour)
    code = {"message": contents.number, "messageEncoding": "iso-8859-1", "altText": contents.number}
    return {
        "formatVersion": 1,
        "passTypeIdentifier": conf.WALLET_APPLE_TYPE,
        "teamIdentifier": conf.WALLET_APPLE_TEAM,
        "serialNumber": serial,
        "organizationName": contents.programme,
        "description": description,
        "logoText": contents.programme,
        "backgroundColor": _rgb(contents.colour),
        "foregroundColor": _rgb(colour),
        "labelColor": _rgb(colour),
        "voided": contents.void,
        # Whoever shows the card spends the points, and the pass holds the key to its updates.
        "sharingProhibited": True,
        "barcodes": [{"format": "PKBarcodeFormatQR", **code}, {"format": "PKBarcodeFormatCode128", **code}],
        "storeCard": {
            "headerFields": header,
            "primaryFields": [points],
            "secondaryFields": secondary,
            "auxiliaryFields": [],
            "backFields": [field(key, label, value) for key, label, value in facts if value],
        },
    }


def _rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(int(colour[start : start + 2], 16) for start in (1, 3, 5)))


def icons(path: str) -> dict[str, bytes]:
    """Return the pictures of a pass, made from the square one at the static path ``path``.

    Raises :exc:`WalletOff` when there is none.
    """
    try:
        return {name: scaled(path, edge) for name, edge in ICONS.items()}
    except OSError as error:
        raise WalletOff(f"The picture of the passes cannot be read: {error}") from error
