"""HTML, text and mail say what feedback says, in both languages, and nothing in it can be anything but text."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser

import pytest

from fsoc.channels.content import Query
from fsoc.channels.html import html_of
from fsoc.channels.mail import mail_of
from fsoc.channels.text import text_of
from fsoc.channels.words import defanged
from tests.channels.told import EVIL, feedback, full, indicator, reason, statement

QUERIES = {
    "5f0c5a34-8f3e-4a53-9d3a-2b6b0c1d2e3f": [
        Query("Splunk", 'cs_host="*login.update.example*"', (("Mind the case.", "注意大小寫。"),)),
        Query("Loki", None, (("no such thing", "無此功能"),)),
    ]
}
SAID = {
    "en": [
        "One phishing kit against three",
        "It rests on one ticket of yours",
        "Spearphishing Link",
        "at least",
        "TLP:AMBER",
        "User Training",
    ],
    "zh-TW": ["同一釣魚套件攻擊", "本告警包含貴機構一張事件單", "初始存取", "至少", "TLP:AMBER", "使用者訓練", "釣魚"],
}


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def evil():
    change = {"what": "count", "values": [EVIL], "text": EVIL, "text_zh": EVIL}
    told = statement(
        summary=reason(EVIL, EVIL),
        indicators=[indicator("text", EVIL), indicator("url", "http://x.example/" + EVIL)],
        hunt=[{"rule_id": EVIL, "title": EVIL, "title_zh": EVIL, "sigma": EVIL}],
        mitigations=[{"id": "M1017", "name": EVIL, "name_zh": EVIL, "techniques": ["T1566.002"]}],
    )
    return feedback(
        title=EVIL,
        title_zh=EVIL,
        ticket_ids=[EVIL],
        feed=EVIL,
        trigger_rule_id=EVIL,
        statement=told,
        changes=[change],
        why=reason(EVIL, EVIL),
        handling=reason(EVIL, EVIL),
    )


@pytest.mark.parametrize("language", ["en", "zh-TW"])
@pytest.mark.parametrize("make", [html_of, text_of])
def test_both_say_what_is_told_in_either_language(make, language):
    said = make(full(), language, QUERIES)

    for text in (
        *SAID[language],
        "T-20260302-0001",
        "T1566.002",
        "M1017",
        "login[.]update[.]example",
        "cs-host|contains",
        "Splunk",
    ):
        assert text in said, text
    assert ("Why this concerns you" in said) == (language == "en")
    assert ("Mind the case." in said, "no such thing" in said) == (language == "en", language == "en")
    assert ("注意大小寫。" in said, "無此功能" in said) == (language == "zh-TW", language == "zh-TW")


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_a_page_is_whole_and_needs_nothing_from_outside(language):
    page = Page(html_of(full(), language, QUERIES))

    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "form", "base", "a"}
    assert not [attrs for _, attrs in page.tags if {"src", "href", "action", "onload", "style"} & set(attrs)]
    assert re.findall(r"url\(|@import|http", html_of(feedback(statement=None), language)) == []
    assert page.tags[0] == ("html", {"lang": "zh-Hant-TW" if language == "zh-TW" else "en"})


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_hostile_text_is_text_on_the_page(language):
    page, tame = Page(html_of(evil(), language)), Page(html_of(full(), language))

    assert {tag for tag, _ in page.tags} == {tag for tag, _ in tame.tags}
    assert "<script>alert(1)</script>" in "".join(page.text)


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_hostile_text_moves_no_cursor_and_adds_no_line_to_a_mail(language):
    text = text_of(evil(), language)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)

    message = message_from_bytes(
        mail_of(evil(), language, sender="fsoc@example", recipient="soc@example"), policy=default
    )
    assert message["Bcc"] is None
    assert message["To"] == "soc@example"
    assert message.defects == []


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_a_drill_and_a_retraction_are_seen_at_once(language):
    drill = full(exercise=True, environment="exercise")
    assert text_of(drill, language).splitlines()[0].startswith("【演練】")
    assert 'class="drill"' in html_of(drill, language)
    assert re.search(r"<title>【演練】", html_of(drill, language))
    mail = message_from_bytes(mail_of(drill, language, sender="a@example", recipient="b@example"), policy=default)
    assert "【演練】" in mail["Subject"]
    assert mail["X-Fsoc-Exercise"] == "true"

    gone = full(status="retracted")
    mark = "[RETRACTED]" if language == "en" else "【撤回】"
    assert text_of(gone, language).startswith(mark)
    assert mark in html_of(gone, language)
    assert "fsoc feedback ack" not in text_of(gone, language), "there is nothing to answer"

    real = full()
    for said in (text_of(real, language), html_of(real, language)):
        assert "【演練】" not in said
        assert mark not in said


def test_a_mail_has_text_page_and_bundle_and_is_the_same_for_the_same_record():
    raw = mail_of(full(), "zh-TW", sender="fsoc@example", recipient="soc@example")
    assert raw == mail_of(full(), "zh-TW", sender="fsoc@example", recipient="soc@example")

    message = message_from_bytes(raw, policy=default)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/stix+json",
    ]
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == text_of(full(), "zh-TW")
    assert message.get_body(("html",)).get_content().replace("\r\n", "\n") == html_of(full(), "zh-TW")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    first = message_from_bytes(mail_of(feedback(), "en", sender="a@example", recipient="b@example"), policy=default)
    assert message["In-Reply-To"] == first["Message-ID"]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("domain", "a.example", "a[.]example"),
        ("ipv4", "203.0.113.7", "203[.]0[.]113[.]7"),
        ("url", "https://a.example/b.html", "hxxps://a[.]example/b.html"),
        ("url", "a.example", "a[.]example"),
        ("email", "x@a.example", "x[@]a[.]example"),
        ("ipv6", "2001:db8::7", "2001[:]db8::7"),
        ("sha256", "aa", "aa"),
    ],
)
def test_no_value_is_a_link(kind, value, shown):
    assert defanged(kind, value) == shown
