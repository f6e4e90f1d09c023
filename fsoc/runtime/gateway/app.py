"""What is asked of the gateway and what it answers: FastAPI, for its OpenAPI document. Starts and opens nothing.

Order of a request: who asks (401, 403) · how much already (429) · kind of body (415) · the body (413, 408) · Kafka.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fsoc import __version__
from fsoc.feeds.record import SIGNATURE
from fsoc.feeds.signatures import SIGNATURE_BYTES_MAX, TICKETS_MAX
from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway import metrics, models, paging
from fsoc.runtime.gateway.batch import BODY_BYTES_MAX
from fsoc.runtime.gateway.credentials import Credentials
from fsoc.runtime.gateway.limits import Limits
from fsoc.runtime.gateway.problems import KINDS, MEDIA_TYPE, Refusal
from fsoc.runtime.gateway.taking import Taking, answering
from fsoc.runtime.gateway.taxii import MEDIA_TYPE as taxii_media_type  # noqa: N811
from fsoc.runtime.gateway.taxii import add_taxii, basic_token, error_body, is_taxii
from fsoc.runtime.log import Log

_log = structlog.get_logger(__name__)

TICKETS: Final = "/v1/tickets"
RECEIPTS: Final = "/v1/receipts"
IN_HAND_MAX: Final = 256
BODY_SECONDS_MAX: Final = 30
BUSY_RETRY_SECONDS: Final = 2
STOPPING_RETRY_SECONDS: Final = 5
OFFSET_MAX: Final = 2**62
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
SINGLE: Final = "application/json"

_bearer: Final = re.compile(r"bearer +([!-~]{1,256})", re.IGNORECASE).fullmatch
_number: Final = re.compile(r"[0-9]{1,20}").fullmatch


@dataclass(slots=True)
class Gateway:
    """What the answers are made from.

    credentials, registry: may be replaced at any time. clock: seconds that only rise. now: in UTC.
    url: where institutions find it; None: where they asked. drill: of which alone messages are taken; None: any.
    stopping: nothing new is begun any more.
    """

    log: Log
    prefix: str
    credentials: Credentials
    registry: Registry
    limits: Limits
    clock: Callable[[], float]
    now: Callable[[], dt.datetime]
    url: str | None = None
    drill: str | None = None
    stopping: bool = False
    in_hand: int = 0
    taking: Taking = field(init=False)

    def __post_init__(self) -> None:
        self.taking = Taking(self.log, self.prefix, self.drill)

    def now_ms(self) -> int:
        return round(self.now().timestamp() * 1000)

    def who_asks(self, request: Request, *, basic: bool = False) -> str:
        """The institution whose credential the request has, once it may ask now.

        basic: HTTP Basic will do too, with the institution as user and its token as password, as TAXII wants it.

        Raises:
            Refusal: nobody's, or one's that asked too much already.
        """
        given = request.headers.get("authorization")
        match = None if given is None else _bearer(given.strip())
        token = match[1] if match is not None else None
        if given is not None and token is None:
            token = basic_token(given) if basic else None
            if token is None:
                raise Refusal("unknown-credential")
        certificate = request.scope.get("state", {}).get("peer_certificate")
        institution = self.credentials.identify(token, certificate, self.now().date())
        known = self.registry.get(institution)
        if known is None or known.suspended:
            raise Refusal("suspended")
        self.limits.admit(institution, self.clock())
        return institution


def build(gateway: Gateway) -> FastAPI:
    """The application; `gateway` is what it works on."""
    app = FastAPI(
        title="fsoc gateway",
        version=__version__,
        description="Tickets in, receipts out. 事件單上傳與回條查詢。",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )

    @app.post(
        TICKETS,
        status_code=202,
        response_model=models.Taken,
        summary="Send a batch of tickets, one a line. 上傳事件單，每行一張。",
        responses=_problems(
            "no-tickets",
            "bad-key",
            "media-type",
            "too-slow",
            "body-too-large",
            "signature-too-large",
            "key-reused",
            "topic-missing",
        ),
        openapi_extra=_REQUEST,
    )
    async def tickets(request: Request) -> Response:
        institution = gateway.who_asks(request)
        single = _media_type(request)
        body = await _body(request)
        metrics.BYTES.labels(institution).inc(len(body))
        signature = _signature(request)
        # Beside each line on Kafka: so often it counts.
        copies = 0 if signature is None else len(signature) * min(body.count(b"\n") + 1, TICKETS_MAX)
        gateway.limits.count(institution, len(body) + copies, gateway.clock())
        answer = await gateway.taking.take(
            institution,
            body,
            registry=gateway.registry,
            single=single,
            key=request.headers.get("idempotency-key"),
            at_ms=gateway.now_ms(),
            signature=signature,
        )
        for outcome in ("taken", "quarantined"):
            if not answer.replayed:
                metrics.TICKETS.labels(institution, outcome).inc(answer.body[outcome])
        headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
        if not _wants_entries(request):
            headers["Preference-Applied"] = "return=minimal"
            return _json({**answer.body, "entries": []}, 202, headers)
        return _json(answer.body, 202, headers)

    @app.get(
        RECEIPTS,
        response_model=models.ReceiptsPage,
        summary="Receipts of the caller's own tickets. 查詢本機構事件單之回條。",
        responses=_problems("bad-query", "topic-missing"),
        openapi_extra={"parameters": _PARAMETERS, "security": _SECURITY},
    )
    async def receipts(request: Request) -> Response:
        institution = gateway.who_asks(request)
        begin = _whole(request, "from", 0, 0, OFFSET_MAX)
        limit = _whole(request, "limit", paging.RECEIPTS_DEFAULT, 1, paging.RECEIPTS_MAX)
        async with answering():
            page = await paging.page(gateway.log, f"{gateway.prefix}receipts.{institution}", begin, limit)
        return _json(page.body(institution))

    add_taxii(app, gateway)
    _refuse_readably(app, gateway)
    app.openapi = _described(app.openapi)  # type: ignore[method-assign]
    return app


def _described(openapi: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """FastAPI's document, made when it is first asked for, with how senders come."""

    def described() -> dict[str, Any]:
        document = openapi()
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "certificate": {"type": "mutualTLS"},
        }
        return document

    return described


def _refuse_readably(app: FastAPI, gateway: Gateway) -> None:
    """Whatever is no answer is a problem, and every request is counted."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        metrics.REQUESTS.labels(refusal.code).inc()
        return _problem(refusal, taxii=is_taxii(request.scope["path"]))

    @app.exception_handler(HTTPException)
    async def not_here(request: Request, error: HTTPException) -> Response:
        refusal = Refusal("method-not-allowed" if error.status_code == 405 else "not-found")
        response = await refused(request, refusal)
        response.headers.update(error.headers or {})  # Allow
        return response

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> Response:
        _log.error("request_failed", path=request.scope["path"][:100], error=repr(error)[:500])
        return await refused(request, Refusal("defect"))

    @app.middleware("http")
    async def in_hand(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        if gateway.stopping:
            return await refused(request, Refusal("stopping", retry_after=STOPPING_RETRY_SECONDS))
        if gateway.in_hand >= IN_HAND_MAX:
            return await refused(request, Refusal("busy", retry_after=BUSY_RETRY_SECONDS))
        gateway.in_hand += 1
        metrics.IN_HAND.set(gateway.in_hand)
        try:
            response = await go_on(request)
        finally:
            gateway.in_hand -= 1
            metrics.IN_HAND.set(gateway.in_hand)
        if response.status_code < 400:
            metrics.REQUESTS.labels("done").inc()
        return response


def _media_type(request: Request) -> bool:
    """Whether the body is one ticket."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refusal("content-encoding")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != SINGLE and kind not in NDJSON:
        raise Refusal("media-type")
    return kind == SINGLE


def _wants_entries(request: Request) -> bool:
    """Whether the answer is to tell of each line: unless `Prefer: return=minimal` is said (RFC 7240).

    Shippers read no answers, and some take one that is longer than they expect for none, and send again for ever.
    """
    said = ",".join(request.headers.getlist("prefer")).lower().replace(" ", "").replace('"', "")
    return "return=minimal" not in {preference.partition(";")[0] for preference in said.split(",")}


def _signature(request: Request) -> bytes | None:
    """As it came, byte for byte; whether it is one is for intake to say."""
    given = request.headers.get(SIGNATURE)
    return None if given is None else given.encode("latin-1")


async def _body(request: Request) -> bytes:
    """Read the body, never more than is allowed."""
    told = request.headers.get("content-length", "")
    too_large = Refusal("body-too-large", limit=BODY_BYTES_MAX)
    if _number(told) and int(told) > BODY_BYTES_MAX:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise too_large
    except (TimeoutError, ClientDisconnect) as error:  # who has gone reads no answer
        raise Refusal("too-slow", seconds=BODY_SECONDS_MAX) from error
    return bytes(body)


def _whole(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    value = int(text) if _number(text) else -1
    if not least <= value <= most:
        raise Refusal("bad-query", name=name, least=least, most=most)
    return value


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def _problem(refusal: Refusal, *, taxii: bool = False) -> Response:
    if taxii:
        headers = refusal.headers
        if refusal.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="fsoc", Bearer realm="fsoc"'
        return Response(error_body(refusal), refusal.status, headers, taxii_media_type)
    return Response(refusal.body(), refusal.status, refusal.headers, MEDIA_TYPE)


_ALWAYS: Final = ("no-credential", "unknown-certificate", "rate-limited", "log-unavailable", "defect")


def _problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: each status with the codes that have it."""
    statuses = sorted({KINDS[code].status for code in (*_ALWAYS, *codes)})
    return {
        status: {
            "description": "; ".join(
                f"`{code}`: {kind.title}" for code, kind in KINDS.items() if kind.status == status
            ),
            "content": {MEDIA_TYPE: {"schema": models.ProblemBody.model_json_schema()}},
        }
        for status in statuses
    }


_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"certificate": []}]
_REQUEST: Final[dict[str, Any]] = {
    "security": _SECURITY,
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 130, "pattern": "^[!-~]+$"},
            "description": "The same key with the same body is written once, and answered the same.",
        },
        {
            "name": "Prefer",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "With `return=minimal` (RFC 7240) the answer has the counts, and `entries` is empty.",
        },
        {
            "name": "Fsoc-Signature",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": SIGNATURE_BYTES_MAX},
            "description": f"A compact JWS over the batch, of at most {TICKETS_MAX} tickets then; "
            "it goes to Kafka with each of them as it is, and intake verifies it.",
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            **{kind: {"schema": {"type": "string", "description": "A ticket a line."}} for kind in NDJSON},
            SINGLE: {"schema": {"type": "object", "description": "One ticket: `fsoc schema ticket`."}},
        },
    },
}
_PARAMETERS: Final[list[dict[str, Any]]] = [
    {
        "name": name,
        "in": "query",
        "required": False,
        "schema": {"type": "integer", "minimum": least, "maximum": most, "default": default},
        "description": text,
    }
    for name, least, most, default, text in (
        ("from", 0, OFFSET_MAX, 0, "The record to begin with; `next` of the page before."),
        ("limit", 1, paging.RECEIPTS_MAX, paging.RECEIPTS_DEFAULT, "About how many receipts."),
    )
]
