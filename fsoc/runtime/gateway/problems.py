"""What the gateway says when it does not do what was asked: RFC 9457 bodies in English and Traditional Chinese."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

URN: Final = "urn:fsoc:problem:"
MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """One kind of problem. detail: what to do; `{…}` is filled in from the facts of the refusal."""

    status: int
    title: str
    title_zh: str
    detail: str
    detail_zh: str


KINDS: Final[dict[str, Kind]] = {
    "no-tickets": Kind(
        400,
        "There is no ticket.",
        "內容沒有事件單。",
        "Send a ticket a line as NDJSON.",
        "請以 NDJSON 每行送一張事件單。",
    ),
    "bad-key": Kind(
        400,
        "The Idempotency-Key cannot be used.",
        "Idempotency-Key 無法使用。",
        "Send one, of 1 to 128 visible ASCII characters.",
        "請送出一個，長度為 1 至 128 個可見 ASCII 字元。",
    ),
    "bad-query": Kind(
        400,
        "A parameter is wrong.",
        "查詢參數錯誤。",
        "{name}: expected a whole number from {least} to {most}.",
        "{name}：須為 {least} 至 {most} 之整數。",
    ),
    "taxii-query": Kind(
        400,
        "A parameter is wrong.",
        "查詢參數錯誤。",
        "{name}: expected {expected}.",
        "{name}：格式錯誤；應為 {expected}。",
    ),
    "read-only": Kind(
        403,
        "The collection can only be read.",
        "此集合僅供讀取。",
        "Answer an alert by a ticket, in relations.acknowledges.",
        "請於事件單之 relations.acknowledges 回復告警。",
    ),
    "not-acceptable": Kind(
        406,
        "Nothing else than TAXII 2.1 is served here.",
        "此處僅提供 TAXII 2.1。",
        "Send Accept: application/taxii+json;version=2.1.",
        "請送出 Accept: application/taxii+json;version=2.1。",
    ),
    "no-credential": Kind(
        401,
        "Nothing says who is asking.",
        "未提供身分憑證。",
        "Send Authorization: Bearer and the token of your institution, or come with its client certificate.",
        "請送出 Authorization: Bearer 與貴機構之權杖，或使用貴機構之用戶端憑證連線。",
    ),
    "unknown-credential": Kind(
        401,
        "The token is not known.",
        "權杖無效。",
        "It may have been replaced; the F-SOC gives a new one.",
        "可能已更換；請向 F-SOC 申請新權杖。",
    ),
    "expired-credential": Kind(
        401,
        "The credential has expired.",
        "身分憑證已過期。",
        "Its last day was {not_after}; the F-SOC gives a new one.",
        "最後有效日為 {not_after}；請向 F-SOC 申請更換。",
    ),
    "unknown-certificate": Kind(
        403,
        "The client certificate is not one of a registered sender.",
        "用戶端憑證未登錄。",
        "Give its SHA-256 fingerprint to the F-SOC: {fingerprint}.",
        "請將其 SHA-256 指紋提供 F-SOC 登錄：{fingerprint}。",
    ),
    "two-identities": Kind(
        403,
        "Certificate and token belong to two institutions.",
        "憑證與權杖分屬不同機構。",
        "Send only one of them, or both of one institution.",
        "請擇一使用，或使用同一機構之憑證與權杖。",
    ),
    "suspended": Kind(
        403,
        "Your institution may not send at present.",
        "貴機構目前不得傳送。",
        "It is not in the registry, or is suspended there; ask the F-SOC.",
        "貴機構未登錄或已停用；請洽 F-SOC。",
    ),
    "not-found": Kind(
        404,
        "There is nothing here.",
        "查無此路徑。",
        "GET /openapi.json tells what there is.",
        "GET /openapi.json 列出可用路徑。",
    ),
    "method-not-allowed": Kind(
        405,
        "The method is not one for this path.",
        "此路徑不支援該方法。",
        "GET /openapi.json tells what there is.",
        "GET /openapi.json 列出可用方法。",
    ),
    "too-slow": Kind(
        408,
        "The body did not come in time.",
        "內容未於時限內送達。",
        "It must be here within {seconds} s; send it again.",
        "須於 {seconds} 秒內送完；請重新送出。",
    ),
    "body-too-large": Kind(
        413,
        "The body is too large.",
        "內容過大。",
        "At most {limit} bytes at a time; send fewer tickets.",
        "每次至多 {limit} 位元組；請減少每批張數。",
    ),
    "too-many-lines": Kind(
        413,
        "There are too many tickets in one body.",
        "單批事件單過多。",
        "At most {limit} at a time; send fewer.",
        "每批至多 {limit} 張；請減少每批張數。",
    ),
    "line-too-large": Kind(
        413,
        "A line is larger than Kafka takes.",
        "單行超過 Kafka 上限。",
        "Line {line} has {bytes} bytes, limit {limit}; a ticket has at most 512 KiB. Nothing of this body was taken.",
        "第 {line} 行有 {bytes} 位元組，上限 {limit}；事件單上限為 512 KiB。本批全部未收。",
    ),
    "media-type": Kind(
        415,
        "The media type is not one that is taken.",
        "不支援的 Content-Type。",
        "Send Content-Type: application/x-ndjson, or application/json for a single ticket.",
        "請使用 Content-Type: application/x-ndjson；單張事件單可用 application/json。",
    ),
    "content-encoding": Kind(
        415,
        "The body is compressed.",
        "內容經壓縮。",
        "Send it without Content-Encoding.",
        "請勿使用 Content-Encoding。",
    ),
    "signature-too-large": Kind(
        431,
        "The Fsoc-Signature is too large.",
        "Fsoc-Signature 過長。",
        "It has {bytes} bytes, limit {limit}; sign fewer tickets at a time. Nothing of this body was taken.",
        "長度 {bytes} 位元組，上限 {limit}；請減少每次簽署之張數。本批全部未收。",
    ),
    "key-reused": Kind(
        422,
        "This Idempotency-Key was used before with another body.",
        "此 Idempotency-Key 先前已用於不同內容。",
        "Use another key for other tickets; nothing of this body was taken.",
        "不同的事件單請使用不同的鍵；本批全部未收。",
    ),
    "rate-limited": Kind(
        429,
        "This is more than one institution may send at a time.",
        "超過單一機構之傳送速率上限。",
        "Wait {retry_after} s; nothing of it was taken.",
        "請於 {retry_after} 秒後再送；本批全部未收。",
    ),
    "too-many-waiting": Kind(
        429,
        "Too many batches of this institution are waiting already.",
        "本機構等候處理之批次過多。",
        "Send one after another; wait {retry_after} s.",
        "請依序傳送，並於 {retry_after} 秒後再送。",
    ),
    "log-unavailable": Kind(
        503,
        "Kafka does not answer.",
        "Kafka 無回應。",
        "Nothing of it is acknowledged; send it again in {retry_after} s, with the same Idempotency-Key.",
        "本批未獲確認；請於 {retry_after} 秒後以相同 Idempotency-Key 重送。",
    ),
    "topic-missing": Kind(
        503,
        "Your institution has no topic yet.",
        "貴機構之 topic 尚未建立。",
        "The F-SOC has to make it; try again in {retry_after} s.",
        "須由 F-SOC 建立；請於 {retry_after} 秒後再試。",
    ),
    "busy": Kind(
        503,
        "The gateway has too much in hand.",
        "閘道忙碌中。",
        "Try again in {retry_after} s.",
        "請於 {retry_after} 秒後再試。",
    ),
    "stopping": Kind(
        503,
        "The gateway is being stopped.",
        "閘道停止服務中。",
        "Try again in {retry_after} s.",
        "請於 {retry_after} 秒後再試。",
    ),
    "defect": Kind(
        500,
        "A defect of the gateway.",
        "閘道程式錯誤。",
        "It has been logged; nothing of it is acknowledged.",
        "已記錄；本次要求未獲確認。",
    ),
}


class Refusal(Exception):  # noqa: N818 - one of the gateway's answers, not an error of fsoc's
    """Ends a request with a problem.

    code: of `KINDS`. facts: what its detail names; retry_after, in seconds, becomes a header too.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    @property
    def status(self) -> int:
        return KINDS[self.code].status

    @property
    def headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if "retry_after" in self.facts:
            found["Retry-After"] = str(self.facts["retry_after"])
        if self.status == 401:
            found["WWW-Authenticate"] = 'Bearer realm="fsoc"'
        return found

    def body(self) -> bytes:
        kind = KINDS[self.code]
        return orjson.dumps(
            {
                "type": URN + self.code,
                "status": kind.status,
                "title": kind.title,
                "title_zh": kind.title_zh,
                "detail": kind.detail.format(**self.facts),
                "detail_zh": kind.detail_zh.format(**self.facts),
            }
        )
