"""A shop with certificates of its own making, as a shop would get them from Apple and Google."""

import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PASSWORD = "secret"
TYPE = "pass.com.example.petals"


def issue(name, issuer=None, issuer_key=None, ends=None, ca=False, hosts=()):
    """Return a certificate and its key; without an issuer it signs itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(ends or now + datetime.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if hosts:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
    return made.sign(issuer_key or key, hashes.SHA256()), key


def pem(certificate, key=None, password=""):
    data = certificate.public_bytes(Encoding.PEM)
    if key is not None:
        locked = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        data += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    return data


@pytest.fixture(scope="session")
def authority():
    return issue("Worldwide Developer Relations", ca=True)


@pytest.fixture(scope="session")
def own(authority):
    return issue("Pass Type ID", *authority)


@pytest.fixture
def apple_on(settings, tmp_path, authority, own):
    (tmp_path / "pass.pem").write_bytes(pem(*own, PASSWORD))
    (tmp_path / "wwdr.pem").write_bytes(pem(authority[0]))
    settings.OSCAR_LOYALTY_WALLET_APPLE_TYPE = TYPE
    settings.OSCAR_LOYALTY_WALLET_APPLE_TEAM = "A1B2C3D4E5"
    settings.OSCAR_LOYALTY_WALLET_APPLE_CERTIFICATE = tmp_path / "pass.pem"
    settings.OSCAR_LOYALTY_WALLET_APPLE_PASSWORD = PASSWORD
    settings.OSCAR_LOYALTY_WALLET_APPLE_WWDR = tmp_path / "wwdr.pem"
    return tmp_path


@pytest.fixture
def google_on(settings, tmp_path, own):
    key = own[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    path = tmp_path / "google.json"
    path.write_text(json.dumps({"client_email": "shop@example.iam", "private_key": key}))
    settings.OSCAR_LOYALTY_WALLET_GOOGLE_ISSUER = "3388000000012345678"
    settings.OSCAR_LOYALTY_WALLET_GOOGLE_KEY = path
    return own[1].public_key()
