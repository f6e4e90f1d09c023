"""The operating standard (作業標準) as data: sections, tables, examples. Pure; renders nothing.

Nothing in it is written twice: fields, bounds and words are the model's, codes are the table's, topics and rights are
what `fsoc topics` applies, terms are the contract's. What is added here is what each of them means.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple, get_args

from fsoc.feeds.contract import NAMES, TIERS, Contract
from fsoc.feeds.faults import FUTURE_MAX_MS
from fsoc.feeds.outcomes import Outcome
from fsoc.feeds.record import SIGNATURE
from fsoc.feeds.signatures import SIGNATURE_BYTES_MAX, TICKETS_MAX
from fsoc.feeds.words import MEASURES, Word, share_said, span_said
from fsoc.institutions.signing import encoded
from fsoc.standard import fields as field_words
from fsoc.standard import terms
from fsoc.tickets import sample, vocabulary
from fsoc.tickets.codes import CODES
from fsoc.tickets.decode import decode
from fsoc.tickets.explain import explain
from fsoc.tickets.receipts import Receipt, Resend
from fsoc.tickets.schema import ticket_schema

VALUES_SHOWN_MAX: Final = 6
"""Of a field's words; more of them are in the tables of words."""


class Topic(NamedTuple):
    """A topic that an institution meets. may: write or read. kept: as `90 d`, or the newest of each key."""

    name: str
    may: str
    kept: str
    record_bytes_max: int


@dataclass(frozen=True, slots=True)
class Table:
    """Heads in both languages; cells as plain text, those of `code` columns to be set as code."""

    heads: Sequence[Word]
    rows: Sequence[Sequence[str]]
    code: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True)
class Example:
    """JSON to be shown as it is."""

    title: Word
    body: str


Part = Word | Table | Example


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered section."""

    title: Word
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Standard:
    """The whole document. version: of fsoc."""

    title: Word
    version: str
    sections: Sequence[Section]


def standard(version: str, topics: Sequence[Topic], contract: Contract) -> Standard:
    """Everything an institution must know to send, of this version of fsoc."""
    schema = ticket_schema()
    sections = (
        Section(Word("Information sources", "資訊來源"), list(_sources())),
        Section(Word("Classes and grades", "分類與分級"), list(_grades())),
        Section(Word("Ticket format", "事件單格式"), list(_format(schema))),
        Section(Word("Examples", "範例"), list(_examples())),
        Section(Word("Transport", "傳輸方式"), list(_transport(topics))),
        Section(Word("Receipts", "回執"), list(_receipts())),
        Section(Word("Timeliness and completeness", "即時性與完整性"), list(_contract(contract))),
        Section(Word("Error codes", "錯誤代碼"), [_codes()]),
    )
    return Standard(Word("Operating standard of the joint SOC", "聯防 SOC 作業標準"), version, sections)


def _sources() -> Iterator[Part]:
    yield Word(
        "Each institution sends four kinds of message: the first three by its registered feeds, the last by none.",
        "各機構送出下列四種訊息：前三種經登錄之資料來源，回復單則不屬任何來源。",
    )
    rows = [[kind, *terms.KINDS[kind]] for kind in get_args(vocabulary.Kind)]
    yield Table([Word("kind", "種類"), Word("what it is", "英文說明"), Word("in Chinese", "中文說明")], rows)


def _grades() -> Iterator[Part]:
    yield Table(
        [Word("category", "分類"), Word("in Chinese", "中文名稱")],
        [[name, terms.CATEGORIES[name]] for name in get_args(vocabulary.Category)],
    )
    yield Table(
        [Word("severity", "嚴重性"), Word("word", "英文"), Word("in Chinese", "中文")],
        [[str(level), en, zh] for level, en, zh in terms.SEVERITIES],
    )
    yield Word(
        "tw_level is the level of a cyber security incident by law, 1 to 4, 4 the gravest; it is apart from severity.",
        "tw_level 為法定資通安全事件等級 1 至 4，4 為最重；與 severity 分別填寫。",
    )
    for title, words in _WORDS.items():
        rows = [[word, terms.WORDS[word]] for word in get_args(words)]
        yield Table([Word(title, _TITLES_ZH[title]), Word("in Chinese", "中文")], rows)


_WORDS: Final[dict[str, Any]] = {
    "action": vocabulary.Action,
    "environment": vocabulary.Environment,
    "status": vocabulary.Status,
    "verdict": vocabulary.Verdict,
    "trigger.kind": vocabulary.TriggerKind,
    "observables.type": vocabulary.ObservableType,
    "observables.role": vocabulary.ObservableRole,
    "assets.type": vocabulary.AssetType,
    "tlp": vocabulary.Tlp,
    "pap": vocabulary.Pap,
    "attribution": vocabulary.Attribution,
    "relations.acknowledges.answer": vocabulary.Answer,
}
_TITLES_ZH: Final[dict[str, str]] = {
    "action": "處理動作",
    "environment": "環境",
    "status": "處理狀態",
    "verdict": "判定結果",
    "trigger.kind": "開單依據",
    "observables.type": "觀測值類型",
    "observables.role": "觀測值角色",
    "assets.type": "資產類型",
    "tlp": "燈號協定",
    "pap": "可採行動作",
    "attribution": "具名方式",
    "relations.acknowledges.answer": "回復內容",
}


def _format(schema: Mapping[str, Any]) -> Iterator[Part]:
    yield Word(
        "One message is one JSON object in UTF-8 without a byte order mark. Times are RFC 3339 with an offset. "
        "A field that is not in these tables is refused; your own go under ext. R is required, O is optional.",
        "每則訊息為一個 JSON 物件（UTF-8、無 BOM）。時間採 RFC 3339 並含時區。未列欄位一律退件，自訂欄位請置於 ext。"
        "R 為必填，O 為選填。",
    )
    yield Table(
        [Word("bound", "上限"), Word("value", "值")],
        [[name, f"{getattr(vocabulary, name):,}"] for name in sorted(vars(vocabulary)) if name.endswith("_MAX")],
    )
    models = {name: found for name, found in schema["$defs"].items() if "properties" in found}
    for name in sorted(models, key=lambda name: (name not in {"Ticket", "SourceStatus"}, name != "Ticket", name)):
        yield Table(
            [
                Word(name, _MODELS_ZH.get(name, name)),
                Word("", ""),
                Word("form", "格式"),
                Word("meaning", "英文說明"),
                Word("in Chinese", "中文說明"),
            ],
            [_field(name, field, found, models[name]) for field, found in models[name]["properties"].items()],
            frozenset({0, 2}),
        )


_MODELS_ZH: Final = {
    "Ticket": "資安監控單、情資分析單",
    "SourceStatus": "監控設備狀況單",
    "Acknowledgement": "回復單",
    "Acknowledges": "對告警之回復",
    "Attack": "攻擊技術",
    "Trigger": "開單依據",
    "Logsource": "日誌來源",
    "Evidence": "佐證",
    "Observable": "觀測值",
    "Asset": "資產",
    "Supplier": "供應商",
    "Volume": "規模",
    "Impact": "影響",
    "Relations": "關聯",
}


def _field(model: str, name: str, found: Mapping[str, Any], of: Mapping[str, Any]) -> list[str]:
    needed = "R" if name in of.get("required", ()) else "O"
    said = found.get("description") or field_words.EN.get(f"{model}.{name}") or field_words.EN[name]
    zh = field_words.ZH.get(f"{model}.{name}") or field_words.ZH[name]
    return [name, needed, form_of(found), " ".join(said.split()), zh]


def form_of(schema: Mapping[str, Any]) -> str:
    """What a value must look like, in a few signs: `text ≤ 200`, `0 … 5`, `list of Attack ≤ 50`."""
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(form_of(one) for one in schema["anyOf"] if one.get("type") != "null"))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        values = [str(each) for each in schema.get("enum", [schema.get("const")])]
        return " | ".join(values) if len(values) <= VALUES_SHOWN_MAX else f"one of {len(values)} words"
    return _form_of_type(schema)


def _form_of_type(schema: Mapping[str, Any]) -> str:
    kind = str(schema.get("type", "any"))
    forms: dict[str, Callable[[], str]] = {
        "array": lambda: _bounded(f"list of {form_of(schema['items'])}", schema.get("maxItems")),
        "object": lambda: _bounded("object", schema.get("maxProperties")),
        "integer": lambda: _between(schema),
        "number": lambda: _between(schema),
        "string": lambda: str(
            schema.get("format") or schema.get("pattern") or _bounded("text", schema.get("maxLength"))
        ),
    }
    return forms[kind]() if kind in forms else kind


def _bounded(what: str, most: int | None) -> str:
    return what if most is None else f"{what} ≤ {most}"


def _between(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is not None and most < vocabulary.INTEGER_MAX:
        return f"{least} … {most}"
    return "number" if least is None or least < 0 else f"number ≥ {least}"


def messages() -> dict[Word, dict[str, Any]]:
    """The messages of the examples, each of which is accepted as it stands."""
    warned = {"type": "domain", "value": "login.update.example", "role": "infrastructure"}
    return {
        Word("An event ticket", "資安監控單"): sample.ticket(),
        Word(
            "Its second revision: it was a false positive, and is taken back", "第二版：判定誤報而撤回"
        ): sample.ticket(revision=2, seq=2, action="close", status="resolved", verdict="false_positive"),
        Word("An intelligence ticket", "情資分析單"): sample.ticket(
            kind="intel", seq=3, ticket_id="I-20260302-0001", observables=[warned], evidence=..., assets=...
        ),
        Word("A source status", "監控設備狀況單"): sample.source_status(last_seq=3),
        Word("An acknowledgement", "回復單"): sample.acknowledgement(),
    }


def _examples() -> Iterator[Part]:
    for title, body in messages().items():
        yield Example(title, json.dumps(body, indent=2, ensure_ascii=False))


def _transport(topics: Sequence[Topic]) -> Iterator[Part]:
    yield Word(
        "Apache Kafka. One ticket topic of one partition per institution: the right to write to it is the sender's "
        "identity, and its order is the sender's. Rights name topics in full. Send with acks=all and retries; "
        "sending again is harmless.",
        "採用 Apache Kafka。每機構一個事件單主題（單一分割區）：寫入權限即身分，順序即送件順序。"
        "權限以完整主題名稱授予。請以 acks=all 並自動重試送出；重複送出不影響結果。",
    )
    yield Table(
        [
            Word("topic", "主題"),
            Word("an institution may", "機構權限"),
            Word("kept", "保存"),
            Word("bytes of a batch, at most", "單批位元組上限"),
        ],
        [[one.name, one.may, one.kept, f"{one.record_bytes_max:,}"] for one in topics],
    )
    yield Word(
        "Or HTTPS, to the gateway of the joint SOC: POST /v1/tickets with tickets as NDJSON, one a line, by a token or "
        "a client certificate, which is the sender's identity; GET /v1/receipts for its receipts. 202 is said once "
        "Kafka has every line. An Idempotency-Key makes a batch that is sent again the same batch; on 429 and 503 wait "
        "as Retry-After says, and send it again. fsoc send does all of this, with a spool that survives restarts.",
        "亦可經聯防 SOC 之 HTTPS 閘道：以 POST /v1/tickets 送出 NDJSON（每行一張事件單），"
        "並以權杖或用戶端憑證表明身分；以 GET /v1/receipts 取得回執。Kafka 確實收妥每一行後才回覆 202。"
        "附上 Idempotency-Key 者，重送視為同一批次；收到 429 或 503 時，依 Retry-After 等候後重送。"
        "fsoc send 已包含上述處理，其佇列於重新啟動後仍保留。",
    )
    yield from _signatures()


def _signatures() -> Iterator[Part]:
    yield Word(
        "Tickets may be signed, and must be from the day that is agreed with an institution. One Ed25519 signature "
        f"covers a batch of 1 to {TICKETS_MAX} tickets: a compact JWS (RFC 7515, RFC 8037) of {SIGNATURE_BYTES_MAX:,} "
        f"bytes at most, in the header {SIGNATURE} of each Kafka record, or once as Fsoc-Signature of the request. "
        "It lists the SHA-256 of each ticket's bytes as they are sent, so nothing may be changed after signing. The "
        "institution makes the key and keeps the private one (fsoc institution key make); the joint SOC registers the "
        "public one. A ticket whose signature is bad, or missing though it must be there, is quarantined. "
        "fsoc send --sign-with signs.",
        "事件單可附簽章；自與機構約定之日起則必須附簽章。"
        f"一個 Ed25519 簽章涵蓋一批 1 至 {TICKETS_MAX} 張事件單，"
        f"格式為 compact JWS（RFC 7515、RFC 8037），至多 {SIGNATURE_BYTES_MAX:,} 位元組，"
        f"置於每筆 Kafka 紀錄之標頭 {SIGNATURE}，或 HTTPS 請求之 Fsoc-Signature 標頭。"
        "其內容為各張事件單實際送出位元組之 SHA-256，簽章後不得再更動內容。"
        "金鑰由機構產製並自行保管私鑰（fsoc institution key make），公鑰由聯防 SOC 登錄。"
        "簽章錯誤或應附而未附者，一律隔離。fsoc send --sign-with 可代為簽章。",
    )
    digests = [encoded(sha256(json.dumps(body).encode()).digest()) for body in messages().values()]
    kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    signature = {
        "header": {"alg": "EdDSA", "kid": kid, "typ": "fsoc-batch+jws"},
        "payload": {"schema": "fsoc.signed-batch/1", "sha256": digests[:2]},
    }
    yield Example(
        Word("Header and payload of a signature, decoded", "簽章之標頭與內容（解碼後）"),
        json.dumps(signature, indent=2),
    )


_OUTCOMES: Final[dict[Outcome, tuple[str, str, str]]] = {
    Outcome.USED: ("accepted", "It is in use.", "已採用。"),
    Outcome.DUPLICATE: (
        "duplicate",
        "The same was received before; nothing need be done.",
        "先前已收到相同內容，無須處理。",
    ),
    Outcome.LATE: ("late", "It came too late to be used; it is kept.", "逾時未採用，已保存。"),
    Outcome.QUARANTINED: (
        "quarantined",
        "It was refused and is kept whole; mend it and send it again.",
        "已隔離並完整保存，請修正後重送。",
    ),
}


def _receipts() -> Iterator[Part]:
    yield Word(
        "Every message has a receipt: what became of it, every fault at once with code, JSON Pointer, reason and hint, "
        "and which sequence numbers are missing (resend.ask), have come (resend.closed) or are given up "
        "(resend.given_up).",
        "每則訊息均有回執：處理結果、一次列出之全部錯誤（代碼、JSON Pointer、原因、修正方式），"
        "以及缺漏序號之請求重送（resend.ask）、已補（resend.closed）、不再追蹤（resend.given_up）。",
    )
    heads = [Word("outcome", "結果"), Word("meaning", "英文說明"), Word("in Chinese", "中文說明")]
    yield Table(heads, [list(_OUTCOMES[outcome]) for outcome in Outcome])
    good = json.dumps(sample.ticket(seq=4), ensure_ascii=False).encode()
    bad = json.dumps(sample.ticket(severity=9), ensure_ascii=False).encode()
    accepted = Receipt.of(0, decode(good, institution="fi-001"), Outcome.USED, (), Resend("2026-03-02", [(2, 3)]))
    refused = Receipt.of(1, None, Outcome.QUARANTINED, explain(bad, "fi-001"))
    for title, receipt in (
        (Word("Accepted, and two numbers before it are missing", "已採用，且其前缺漏兩號"), accepted),
        (Word("Refused", "退件"), refused),
    ):
        yield Example(title, json.dumps(receipt.wire(), indent=2, ensure_ascii=False, default=_plain))


def _plain(resend: Resend) -> dict[str, Any]:
    return {name: getattr(resend, name) for name in ("seq_epoch", "ask", "closed", "given_up")}


def _contract(contract: Contract) -> Iterator[Part]:
    yield Word(
        "seq counts the messages of a feed and epoch without gaps; a re-send keeps its own. A heartbeat comes at the "
        f"interval below. A ticket whose event time is more than {span_said(FUTURE_MAX_MS)} after it was received is "
        "refused; one below what the institution's own watermark allows is late.",
        "seq 為資料來源各批次之連續序號，重送沿用原號。心跳依下列間隔送出。"
        f"事件時間晚於收到時間逾 {span_said(FUTURE_MAX_MS)} 者退件；早於機構水位線可接受範圍者為逾時。",
    )
    rows = []
    for name in NAMES:
        word = MEASURES.get(name, Word("heartbeat interval", "心跳間隔"))  # type: ignore[call-overload]
        values = [getattr(contract.of(tier), name) for tier in TIERS]
        sign = "≥ " if name == "heartbeats" else "≤ "
        said = [sign + (span_said(value) if isinstance(value, int) else share_said(value)) for value in values]
        rows.append([name, word.en, word.zh, *said])
    heads = [Word("term", "項目"), Word("meaning", "英文說明"), Word("in Chinese", "中文說明")]
    yield Table([*heads, *(Word(f"tier {tier}", f"第 {tier} 級") for tier in TIERS)], rows)


def _codes() -> Table:
    return Table(
        [
            Word("code", "代碼"),
            Word("meaning", "英文說明"),
            Word("what to do", "英文修正方式"),
            Word("in Chinese", "中文說明"),
            Word("what to do, in Chinese", "中文修正方式"),
        ],
        [[code, words.en, words.hint, words.zh, words.hint_zh] for code, words in CODES.items()],
    )
