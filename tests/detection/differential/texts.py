"""Texts worth trying: those an engine may fold, cut, escape or count wrongly; and small changes of them."""

from __future__ import annotations

from hypothesis import strategies as st

# Letters whose folding is longer, shorter, or leaves their alphabet; what JSON, globs and patterns escape; what other
# engines take for line ends, white space or digits.
CHARACTERS = "aAbBkKsSiI01.5-/\\*?%_^$()[]+|\"'{} \t\n\r\x00\x0b\x1f\x7f\xa0\u2028\u200b"
CHARACTERS += "ßẞſıİΣσςéÉ\u212a\u00b5ŉǰΐﬁ—٣😀\U0001e900"
SIMPLE = "aAbBkKsS01 -\\"
LOOKALIKES = [
    *(
        ("k", "\u212a"),
        ("K", "k"),
        ("s", "ſ"),
        ("ss", "ß"),
        ("ß", "ss"),
        ("ß", "ẞ"),
        ("i", "İ"),
        ("I", "ı"),
        ("σ", "ς"),
    ),
    *(("fi", "ﬁ"), ("é", "e\u0301"), ("a", "A"), ("b", "B"), ("\\", "\\\\"), ("0", "٠"), (" ", "\xa0"), ("-", "—")),
]
NUMERIC = ["0", "1", "5", "05", "+5", "-1", "5.0", "5e0", "0.5", "1e3", "1000", "1e400", "5.", ".5", "0x5", "５"]
NUMERIC += [
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "9" * 40,
    "9" * 41,
    "1e-7",
    "true",
    "-0",
]
TIMES = ["2026-03-02T08:30:00+08:00", "2026-03-02", "20260302T083000Z", "2026-W10-1", "2026-03-02T25:00:00Z", "08:30"]
ADDRESSES = ["10.0.0.1", "10.0.0.256", "::ffff:10.0.0.1", "fe80::1%eth0", "2001:db8::1", "010.0.0.1", "10.0.0.1 ", "::"]
SPECIAL = ["", " ", "*", "?", "\\", "\\*", "null", "True", "false", "nan", "inf", "a" * 300, "ab" * 2_500, "ß" * 70]

WORDS = [
    "Straße",
    "STRASSE",
    "Kſ",
    "\u212as",
    "İx",
    "i\u0307X",
    "Éa",
    "ΣΊΣ",
    "σίς",
    "ﬁN",
    "ΐ",
    "aẞ",
    "cmd.exe",
    "A B",
    "a\\B",
    "\U0001e900z",
]
"""Letters in both cases, most of them beyond ASCII."""

texts = st.one_of(
    st.text(SIMPLE, max_size=5),
    st.sampled_from(WORDS),
    st.sampled_from(WORDS),
    st.text(CHARACTERS, max_size=6),
    st.sampled_from(NUMERIC + TIMES + ADDRESSES + SPECIAL),
)
pool = st.shared(st.lists(texts, min_size=1, max_size=4), key="pool")
"""What both the rules and the events of one example are made of, so that they meet."""


@st.composite
def _changed(draw):
    known = draw(pool)
    text = draw(st.sampled_from(known))
    other = draw(st.sampled_from(known))
    kind = draw(st.integers(0, 15))
    if kind <= 5:
        return text
    if kind <= 11:
        return [text.upper(), text.lower(), text.swapcase(), text.casefold(), text.upper(), text.title()][kind - 6]
    if kind == 12:
        return draw(st.text(CHARACTERS, max_size=2)) + text + draw(st.text(CHARACTERS, max_size=2))
    if kind == 13:
        return text + other
    if kind == 14:
        return draw(st.sampled_from([text[1:], text[:-1], text[: len(text) // 2], text * 2]))
    plain, alike = draw(st.sampled_from(LOOKALIKES))
    return text.replace(plain, alike)


changed = _changed()
"""A text of the pool, or one close to it."""
