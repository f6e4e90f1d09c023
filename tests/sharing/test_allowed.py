"""Which values may be told, by their form, and that none names an institution."""

from __future__ import annotations

import pytest

from fsoc.institutions.registry import Institution
from fsoc.sharing.allowed import Names, Value, of_form


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("185.220.101.7", "ipv4", "185.220.101.7"),
        ("2A02:2F0C::7", "ipv6", "2a02:2f0c::7"),
        ("185.220.101.0/24", "cidr", "185.220.101.0/24"),
        ("AS64500", "asn", "as64500"),
        ("CVE-2026-12345", "cve", "cve-2026-12345"),
        ("AB" * 32, "sha256", "ab" * 32),
        ("0" * 40, "sha1", "0" * 40),
        ("0" * 32, "md5", "0" * 32),
        ("t13d1516h2_8daaf6152771_e5627efa2ab1", "ja4", "t13d1516h2_8daaf6152771_e5627efa2ab1"),
        ("Evil.Example", "domain", "evil.example"),
        ("bill@evil.example", "email", "bill@evil.example"),
        ("https://evil.example/kit/a.php", "url", "https://evil.example/kit/a.php"),
        ("https://evil.example/2026/a12345.php", "url", "https://evil.example/2026/a12345.php"),
        ("https://evil.example/kit/A123456789/wang", "domain", "evil.example"),
        ("http://185.220.101.7/12-34-56", "ipv4", "185.220.101.7"),
        ("https://evil.example/?who=wang@bank.example", None, None),
        ("https://evil.example/kit?id=77", "domain", "evil.example"),
        ("http://185.220.101.7:8080/a?b", "ipv4", "185.220.101.7"),
        ("http://10.0.0.7/a", None, None),
        ("Mozilla/5.0 (X11)", "user_agent", "mozilla/5.0 (x11)"),
        ("okhttp/3.12.6 (zephyr)", "user_agent", "okhttp/3.12.6 (zephyr)"),
        ("rclone.exe", "domain", "rclone.exe"),
        ("Global mutex 7", "text", "global mutex 7"),
        ("10.0.0.1", None, None),
        ("127.0.0.1", None, None),
        ("192.168.0.0/16", None, None),
        ("10.0.0.0/7", None, None),
        ("fe80::1", None, None),
        ("王小明的信箱", "text", "王小明的信箱"),
        ("a\nb", None, None),
        ("", None, None),
        ("x" * 300, None, None),
        ("<script>", None, None),
    ],
)
def test_a_value_is_what_its_form_says_or_is_not_told(text, kind, told):
    found = of_form(text)

    assert found == (None if kind is None else Value(kind, told))


def institution(**changes):
    plain = {"id": "fi-001", "name": "First Harbour Commercial Bank", "name_zh": "第一海港銀行", "sector": "bank"}
    return Institution(**{**plain, "tier": 1, "group": "hb", "feeds": ("siem",), **changes})


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (Value("domain", "first-harbour-login.example"), True),
        (Value("domain", "firstharbourcommercialbank.example"), True),
        (Value("domain", "fi-001.evil.example"), True),
        (Value("domain", "fi001.evil.example"), True),
        (Value("domain", "hb.evil.example"), True),
        (Value("domain", "hbx.evil.example"), False),
        (Value("domain", "commercial-bank.example"), False),
        (Value("text", "第一海港銀行"), True),
        (Value("email", "ceo@firstharbour.example"), True),
        (Value("ipv4", "185.220.101.7"), False),
        (Value("sha256", "f1001" * 12 + "abcd"), False),
    ],
)
def test_a_value_that_names_an_institution_is_found(value, names):
    assert Names([institution()]).stand_in(value) is names


def label(text):
    """As it stands in the DNS."""
    return "xn--" + text.encode("punycode").decode()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("harbour-ebank.com", True),
        ("fubon-secure.com", True),
        ("myctbc.com", True),
        ("ctbconline.net", True),
        ("actbcx.net", False),
        ("first-aid.com", False),
        ("taiwan-travel.com", False),
        ("evil.example", False),
        (f"{label('第一海港')}.tw", True),
        (f"www.{label('富邦安全')}.com", True),
        (f"{label('台灣旅遊')}.tw", False),
        (f"{label('fubön')}.com", True),
        (f"{label('fubоn')}.com", True),  # its o is Cyrillic
        ("xn--\u0661.com", True),
        ("xn--0000000.com", True),
    ],
)
def test_a_site_that_is_named_after_a_bank_is_found(text, names):
    registry = [
        institution(),
        institution(id="fi-002", name="Taipei Fubon Commercial Bank", name_zh="富邦商業銀行"),
        institution(id="fi-003", name="CTBC Bank", name_zh="中信銀行"),
        institution(id="fi-004", name="First Example Bank", name_zh="台灣銀行"),
    ]

    assert Names(registry).stand_in(Value("domain", text)) is names
