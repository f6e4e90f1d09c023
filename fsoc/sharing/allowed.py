"""Which values may be told to everybody: by their form, and that they name no institution. Pure.

An allow list by type: what is of no form that is known here is not told, and neither is what could be somebody's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple
from unicodedata import combining, normalize

from fsoc.institutions.registry import Institution
from fsoc.sharing.model import IndicatorType

TEXT_MAX: Final = 256
"""Characters of a value that is of no kind: the name of a process, a mutex, a user agent."""

DIGITS_MAX: Final = 6
"""A part of a URL's path that has so many digits may be somebody's number."""

WORD_MIN: Final = 5
"""A name of so many letters and digits names its institution wherever it stands; a shorter one, as words alone."""

END_MIN: Final = 4
"""A shorter name of so many letters at least begins or ends a word too: myctbc, ctbconline."""

FREE: Final = frozenset({"user_agent", "text"})
"""Told only where k institutions have them: what is of no kind is nobody's as long as many have it."""

_NAMELESS: Final = frozenset({"ipv4", "ipv6", "cidr", "asn", "sha256", "sha1", "md5", "ja4", "cve"})
"""Where a name would be chance."""

# Inside every institution's network the same: they tell nobody anything, and of one they tell what it has.
_INSIDE: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "224.0.0.0/3",
            "::/127",
            "fc00::/7",
            "fe80::/10",
            "ff00::/8",
        ),
    )
)
_FORMS: Final[tuple[tuple[IndicatorType, re.Pattern[str]], ...]] = (
    ("asn", re.compile(r"as[0-9]{1,10}")),
    ("cve", re.compile(r"cve-[0-9]{4}-[0-9]{4,10}")),
    ("sha256", re.compile(r"[0-9a-f]{64}")),
    ("sha1", re.compile(r"[0-9a-f]{40}")),
    ("md5", re.compile(r"[0-9a-f]{32}")),
    ("ja4", re.compile(r"[tqd][0-9a-z]{2}[di][0-9]{4}[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}")),
    ("url", re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>\\^`{|}]{1,2000}")),
    ("email", re.compile(r"[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z0-9-]{2,63}")),
    ("domain", re.compile(r"(?:[a-z0-9_-]{1,63}\.){1,10}[a-z0-9-]{2,63}")),
    ("user_agent", re.compile(r"[A-Za-z][\w.+-]{1,40}/[0-9][\x20-\x7e]{0,240}")),
    ("text", re.compile(r"[\w.()\[\]{}#$%&+,;=@ -]{3,256}")),
)
_URL_HOST: Final = re.compile(r"[a-z][a-z0-9+.-]{1,15}://([a-z0-9_.-]{1,253})(?::[0-9]{1,5})?(/[a-z0-9_./~-]{0,1000})?")
_ADDRESS: Final = re.compile(r"[0-9a-f.:]{2,45}(?:/[0-9]{1,3})?")


class Value(NamedTuple):
    """A value that is of a kind that may be told."""

    type: IndicatorType
    text: str


def of_form(text: str) -> Value | None:
    """What a value is, in lower case; None where it may not be told. A URL loses what follows its path."""
    if not text or not text.isprintable():
        return None
    folded = text.lower()
    if _ADDRESS.fullmatch(folded):
        address = _address(folded)
        if address is not None:
            return address if not _is_inside(folded) else None
    for kind, form in _FORMS:
        if not form.fullmatch(folded):
            continue
        if kind == "url":
            return _url(folded)
        return Value(kind, folded)
    return None


def _address(text: str) -> Value | None:
    try:
        if "/" in text:
            return Value("cidr", str(ip_network(text, strict=False)))
        address = ip_address(text)
    except ValueError:
        return None
    return Value("ipv4" if address.version == 4 else "ipv6", str(address))


def _is_inside(text: str) -> bool:
    network = ip_network(text, strict=False)
    return any(network.version == one.version and network.overlaps(one) for one in _INSIDE)


def _url(text: str) -> Value | None:
    """Of a plain URL all of it; of one that carries a query, a user or more, its host: they may say who was meant.

    So may many digits in the path: an account, an identity card.
    """
    plain = _URL_HOST.fullmatch(text)
    if plain is not None and not any(
        sum(letter.isdigit() for letter in part) >= DIGITS_MAX for part in (plain[2] or "").split("/")
    ):
        host = of_form(plain[1])
        return Value("url", text) if host is not None and host.type in {"domain", "ipv4"} else None
    begins = _URL_HOST.match(text)
    if begins is None or "@" in text:
        return None
    host = of_form(begins[1])
    return host if host is not None and host.type in {"domain", "ipv4"} else None


class Names:
    """The names of all institutions, to be found in values: a phishing site is named after the bank it means."""

    def __init__(self, institutions: Iterable[Institution]) -> None:
        plain = {
            _plain(name)
            for one in institutions
            for name in (one.id, one.name, one.name_zh, one.group or "", *_core(one.name), *_core_zh(one.name_zh))
        }
        self._anywhere = sorted(name for name in plain if len(name) >= WORD_MIN or not name.isascii())
        self._words = frozenset(name for name in plain if name and name.isascii() and len(name) < WORD_MIN)

    def stand_in(self, value: Value) -> bool:
        """Whether the value names one."""
        if value.type in _NAMELESS:
            return False
        text = _as_read(value.text)
        if text is None:
            return True
        folded = _plain(text)
        if any(name and name in folded for name in self._anywhere):
            return True
        words = _WORD.findall(text)
        runs = ("".join(words[at : at + length]) for at in range(len(words)) for length in (1, 2, 3))
        return not self._words.isdisjoint(runs) or any(
            word.startswith(name) or word.endswith(name)
            for name in self._words
            if len(name) >= END_MIN
            for word in words
        )


def _as_read(text: str) -> str | None:
    """In lower case, internationalised names as people see them, without accents.

    None where such a name is none, or has letters of other alphabets: they are made to look like ours.
    """
    labels: list[str] = []
    for label in _LABEL.split(text.lower()):
        if not label.startswith("xn--"):
            labels.append(label)
            continue
        try:
            seen = label.removeprefix("xn--").encode().decode("punycode").lower()
        except UnicodeError:
            return None
        plain = "".join(letter for letter in normalize("NFKD", seen) if not combining(letter))
        if any("\x7f" < letter < _CJK for letter in plain):
            return None
        labels.append(plain)
    return ".".join(labels)


_LABEL: Final = re.compile(r"[./:@]")
_CJK: Final = "\u2e80"
"""Alphabets end here, and ideographs begin."""
_WORD: Final = re.compile(r"[a-z0-9]+")
_GENERIC: Final = frozenset(
    {
        "bank",
        "banking",
        "commercial",
        "company",
        "corporation",
        "finance",
        "financial",
        "group",
        "holding",
        "holdings",
        "insurance",
        "international",
        "limited",
        "national",
        "payment",
        "payments",
        "securities",
        "trust",
    }
)


_COMMON: Final = frozenset(
    {
        "asia",
        "capital",
        "central",
        "china",
        "credit",
        "eastern",
        "example",
        "first",
        "general",
        "global",
        "member",
        "northern",
        "pacific",
        "savings",
        "second",
        "southern",
        "taipei",
        "taiwan",
        "third",
        "union",
        "united",
        "western",
    }
)
"""Too common to be anybody's own by themselves."""

_GENERIC_ZH: Final = re.compile(
    "(?:股份|有限|公司|商業|國際|銀行|證券|投信|期貨|人壽|產物|產險|保險|金控|金融|控股|信託|票券|信用|合作社|農會|漁會|郵政)+$"
)
_COMMON_ZH: Final = frozenset({"中國", "中華", "台北", "台灣", "臺北", "臺灣", "全國", "第一", "第二", "會員"})


def _core(name: str) -> Iterable[str]:
    """What of a name is the institution's own: `First Harbour Commercial Bank` is harbour, and firstharbour."""
    words = [word for word in _WORD.findall(name.lower()) if word not in _GENERIC]
    return ["".join(words), *(word for word in words if len(word) >= WORD_MIN and word not in _COMMON)]


def _core_zh(name: str) -> Iterable[str]:
    """The same in Chinese: `第一海港商業銀行` is 第一海港."""
    core = _GENERIC_ZH.sub("", name)
    return [core] if len(core) >= 2 and core not in _COMMON_ZH else []


@lru_cache(8_192)
def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())
