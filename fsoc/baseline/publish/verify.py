"""Whether a bundle is whole and whose it is: files against the manifest, the manifest against its signature. Pure."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fsoc.baseline.publish.bundle import MANIFEST, SCHEMA, SIGNATURE
from fsoc.errors import Problem
from fsoc.institutions.signing import SigningKey

TYPE: Final = "fsoc-baseline+jws"
SIGNED: Final = "fsoc.signed-baseline/1"
SIGNATURE_BYTES_MAX: Final = 4_096
_path = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*(/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*){0,4}").fullmatch


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: Literal["EdDSA"]
    kid: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    typ: Literal["fsoc-baseline+jws"]


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["fsoc.signed-baseline/1"]
    version: str
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Verdict:
    """signed_by: the kid that a signature names. believed: the key that was given made it."""

    version: str
    files: int
    signed_by: str | None
    believed: bool
    problems: tuple[Problem, ...]


def payload(manifest: bytes, version: str) -> bytes:
    """What a signature is made over."""
    told = {"schema": SIGNED, "version": version, "sha256": sha256(manifest).hexdigest()}
    return json.dumps(told, separators=(",", ":")).encode()


def verify(files: Mapping[str, bytes], key: SigningKey | None) -> Verdict:
    """Hold files against the manifest, and that against its signature. key: whose it must be; None: anybody's."""
    manifest = files.get(MANIFEST)
    if manifest is None:
        return Verdict("", 0, None, False, (Problem(MANIFEST, "is missing: this is no bundle of a baseline"),))
    told = _read_manifest(manifest)
    if told is None:
        return Verdict("", 0, None, False, (Problem(MANIFEST, f"is no manifest of {SCHEMA}"),))
    problems = list(_differences(files, told["files"]))
    version = str(told.get("version", ""))
    signed_by, believed = None, False
    signature = files.get(SIGNATURE)
    if signature is not None:
        signed_by, believed, wrong = _signature(signature, manifest, version, key)
        problems += [Problem(SIGNATURE, wrong)] if wrong else []
    elif key is not None:
        problems.append(Problem(SIGNATURE, "is missing: the bundle is not signed"))
    return Verdict(version, len(told["files"]), signed_by, believed, tuple(problems))


def _read_manifest(manifest: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(manifest)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(told, dict) and told.get("schema") == SCHEMA and isinstance(told.get("files"), dict)
    return told if fits else None


def _differences(files: Mapping[str, bytes], listed: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for path, entry in listed.items():
        if not _path(path) or ".." in path:
            problems.append(Problem(path[:80], "is no path within a bundle"))
        elif path not in files:
            problems.append(Problem(path, "is missing"))
        elif not isinstance(entry, dict) or entry.get("sha256") != sha256(files[path]).hexdigest():
            problems.append(Problem(path, "is not as the manifest says: it was changed"))
    strange = sorted(files.keys() - listed.keys() - {MANIFEST, SIGNATURE})
    return problems + [Problem(path, "is not in the manifest") for path in strange]


def _signature(
    signature: bytes, manifest: bytes, version: str, key: SigningKey | None
) -> tuple[str | None, bool, str | None]:
    """Who is named as its maker, whether it is the key that was given, and what is wrong."""
    text = signature.strip()
    parts = text.split(b".")
    if len(text) > SIGNATURE_BYTES_MAX or len(parts) != 3:
        return None, False, "is no compact JWS"
    try:
        header = msgspec.json.decode(_decoded(parts[0]), type=_Header)
        covered = msgspec.json.decode(_decoded(parts[1]), type=_Payload)
        made = _decoded(parts[2])
    except (ValueError, msgspec.MsgspecError):
        return None, False, f"is no signature of the type {TYPE}"
    if covered.sha256 != sha256(manifest).hexdigest() or covered.version != version:
        return header.kid, False, "is of another manifest"
    if key is None:
        return header.kid, False, None
    try:
        Ed25519PublicKey.from_public_bytes(_decoded(key.public_key.encode())).verify(made, parts[0] + b"." + parts[1])
    except (InvalidSignature, ValueError):
        return header.kid, False, f"was not made by the key {key.kid}"
    return header.kid, True, None


def _decoded(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
