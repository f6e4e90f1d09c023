"""TAXII 2.1, to be read: one collection for each institution, of what it was told, behind its own credential.

Answers only; what there is, is `collection`'s, and which of it is asked for `taxii_query`'s. Nothing can be added or
deleted. An institution sees one collection, and of all others nothing, not even that they are there.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi import FastAPI, Request, Response

from fsoc.channels.stix_ids import uuid5
from fsoc.runtime.gateway.collection import Collection, Collections, Version
from fsoc.runtime.gateway.problems import KINDS, URN, Refusal
from fsoc.runtime.gateway.taking import answering
from fsoc.runtime.gateway.taxii_query import Page, Query

if TYPE_CHECKING:
    from fsoc.runtime.gateway.app import Gateway

DISCOVERY: Final = "/taxii2/"
ROOT: Final = "/taxii2/feedback/"
MEDIA_TYPE: Final = "application/taxii+json;version=2.1"
STIX: Final = "application/stix+json;version=2.1"
CONTENT_BYTES_MAX: Final = 64 * 1024
"""Nothing is taken; the specification wants a number all the same."""

_basic: Final = re.compile(r"basic +([A-Za-z0-9+/=]{1,700})", re.IGNORECASE).fullmatch
_PAGED: Final = frozenset({"limit", "next", "added_after", "match[spec_version]"})
_OBJECT: Final = _PAGED | {"match[version]"}
_OBJECTS: Final = _OBJECT | {"match[id]", "match[type]"}


def is_taxii(path: str) -> bool:
    """Whether who asks for this expects TAXII's own errors."""
    return path.startswith(DISCOVERY) or path == DISCOVERY.rstrip("/")


def basic_token(given: str) -> str | None:
    """The password of HTTP Basic, which is the institution's token, where the user is the institution; else None.

    Raises:
        Refusal: it is Basic, and not that.
    """
    match = _basic(given.strip())
    if match is None:
        return None
    try:
        user, colon, token = base64.b64decode(match[1], validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refusal("unknown-credential") from error
    if not colon or not token.startswith(f"fsoc_{user}_"):
        raise Refusal("unknown-credential")
    return token


def collection_id(prefix: str, institution: str) -> str:
    """Of the institution's collection."""
    return uuid5("collection", prefix, institution)


def error_body(refusal: Refusal) -> bytes:
    """A refusal as TAXII says it."""
    kind = KINDS[refusal.code]
    return orjson.dumps(
        {
            "title": f"{kind.title} {kind.title_zh}",
            "description": f"{kind.detail.format(**refusal.facts)} {kind.detail_zh.format(**refusal.facts)}",
            "error_code": URN + refusal.code,
            "http_status": str(kind.status),
        }
    )


def add_taxii(app: FastAPI, gateway: Gateway) -> None:
    """Serve it. Its own specification describes it, so that the OpenAPI document does not."""
    taxii = _Taxii(gateway)
    one = f"{ROOT}collections/{{name}}/"
    for path, answer in (
        (DISCOVERY, taxii.discovery),
        (ROOT, taxii.api_root),
        (f"{ROOT}collections/", taxii.collections),
        (one, taxii.collection),
        (f"{one}manifest/", taxii.manifest),
        (f"{one}objects/", taxii.objects),
        (f"{one}objects/{{object_id}}/", taxii.one_object),
        (f"{one}objects/{{object_id}}/versions/", taxii.object_versions),
    ):
        app.add_api_route(path, answer, methods=["GET"], include_in_schema=False)
    app.add_api_route(f"{one}objects/", taxii.unchangeable, methods=["POST"], include_in_schema=False)
    app.add_api_route(f"{one}objects/{{object_id}}/", taxii.unchangeable, methods=["DELETE"], include_in_schema=False)


class _Taxii:
    """An answer for each of the specification's endpoints."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._collections = Collections(gateway.log, gateway.prefix)

    async def discovery(self, request: Request) -> Response:
        self._who(request)
        root = f"{self._gateway.url or str(request.base_url).rstrip('/')}{ROOT}"
        return _answer(
            {
                "title": "Joint SOC feedback  聯防 SOC 回饋",
                "description": "What this institution was told of joint alerts. 本機構之聯防告警回饋。",
                "default": root,
                "api_roots": [root],
            }
        )

    async def api_root(self, request: Request) -> Response:
        self._who(request)
        return _answer({"title": "Feedback  回饋", "versions": [MEDIA_TYPE], "max_content_length": CONTENT_BYTES_MAX})

    async def collections(self, request: Request) -> Response:
        return _answer({"collections": [_collection(self._gateway.prefix, self._who(request))]})

    async def collection(self, request: Request, name: str) -> Response:
        return _answer(_collection(self._gateway.prefix, self._owner(request, name)))

    async def manifest(self, request: Request, name: str) -> Response:
        page = Query.of(request.query_params, allowed=_OBJECTS).page((await self._own(request, name)).versions)
        return _page(page, "objects", [_entry(one) for one in page.versions])

    async def objects(self, request: Request, name: str) -> Response:
        page = Query.of(request.query_params, allowed=_OBJECTS).page((await self._own(request, name)).versions)
        return _page(page, "objects", [orjson.Fragment(one.body) for one in page.versions])

    async def one_object(self, request: Request, name: str, object_id: str) -> Response:
        versions = _of_object(await self._own(request, name), object_id)
        page = Query.of(request.query_params, allowed=_OBJECT).page(versions)
        return _page(page, "objects", [orjson.Fragment(one.body) for one in page.versions])

    async def object_versions(self, request: Request, name: str, object_id: str) -> Response:
        versions = _of_object(await self._own(request, name), object_id)
        page = Query.of({**request.query_params, "match[version]": "all"}, allowed=_OBJECT).page(versions)
        return _page(page, "versions", [one.version for one in page.versions])

    async def unchangeable(self, request: Request, name: str) -> Response:
        self._owner(request, name)
        raise Refusal("read-only")

    def _who(self, request: Request) -> str:
        institution = self._gateway.who_asks(request, basic=True)
        _accepted(request)
        return institution

    def _owner(self, request: Request, name: str) -> str:
        """The institution that asks, where the collection is its own."""
        institution = self._who(request)
        if name != collection_id(self._gateway.prefix, institution):
            raise Refusal("not-found")
        return institution

    async def _own(self, request: Request, name: str) -> Collection:
        institution = self._owner(request, name)
        async with answering():
            return await self._collections.of(institution)


def _accepted(request: Request) -> None:
    """Raises: Refusal: whoever asks takes no TAXII 2.1."""
    given = request.headers.getlist("accept")
    if not given:
        return
    for one in ",".join(given).split(","):
        kind, *parameters = (part.strip().lower() for part in one.split(";"))
        said = dict(part.replace(" ", "").partition("=")[::2] for part in parameters)
        if said.get("q", "1").rstrip("0").rstrip(".") == "" or said.get("version", "2.1").strip('"') != "2.1":
            continue
        if kind in {"*/*", "application/*", "application/taxii+json"}:
            return
    raise Refusal("not-acceptable")


def _of_object(collection: Collection, name: str) -> list[Version]:
    found = [one for one in collection.versions if one.id == name]
    if not found:
        raise Refusal("not-found")
    return found


def _collection(prefix: str, institution: str) -> dict[str, Any]:
    return {
        "id": collection_id(prefix, institution),
        "title": f"Feedback to {institution}  回饋",
        "description": "STIX 2.1: of each joint alert a report, with indicators, sightings, techniques, mitigations.",
        "can_read": True,
        "can_write": False,
        "media_types": [STIX],
    }


def _entry(one: Version) -> dict[str, str]:
    return {"id": one.id, "date_added": one.added, "version": one.version, "media_type": STIX}


def _page(page: Page, name: str, entries: Iterable[Any]) -> Response:
    """An empty page is an empty object, and has no times."""
    if not page.versions:
        return _answer({})
    body: dict[str, Any] = {name: list(entries)}
    if page.next is not None:
        body = {"more": True, "next": page.next, **body}
    times = {"X-TAXII-Date-Added-First": page.versions[0].added, "X-TAXII-Date-Added-Last": page.versions[-1].added}
    return _answer(body, times)


def _answer(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), 200, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)
