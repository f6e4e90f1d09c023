"""Certificates for servers on this machine: an authority of its own, and what it issues. Pure: bytes and a time."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS: Final = 3650
# They are issued anew at each start of the broker.
SERVER_DAYS: Final = 397
BROKER: Final = "fsoc-broker"
GATEWAY: Final = "fsoc-gateway"

# Clocks differ; a certificate from the future is refused.
_EARLIER: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM; the key PKCS 8 without a passphrase, as Kafka reads it."""

    certificate: bytes
    key: bytes


def authority(now: dt.datetime) -> Pair:
    """Make an authority that signs servers' certificates and no further authority; valid for AUTHORITY_DAYS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("fsoc local authority")
    built = (
        _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pair(built, key)


def broker(issuer: Pair, now: dt.datetime) -> Pair:
    """Issue the broker's: to serve by, and to show to itself."""
    return _server(issuer, now, BROKER, [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


def gateway(issuer: Pair, now: dt.datetime) -> Pair:
    """Issue the gateway's: to serve by alone. Shown to the broker it opens nothing."""
    return _server(issuer, now, GATEWAY, [ExtendedKeyUsageOID.SERVER_AUTH])


def _server(issuer: Pair, now: dt.datetime, common: str, purposes: list[x509.ObjectIdentifier]) -> Pair:
    """For 127.0.0.1 and localhost; valid for SERVER_DAYS."""
    parent = x509.load_pem_x509_certificate(issuer.certificate)
    signer = serialization.load_pem_private_key(issuer.key, password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)  # noqa: S101 - `authority` makes no other
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    built = (
        _builder(_name(common), parent.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _pair(built, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
