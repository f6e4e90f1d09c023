"""Layers that Navigator's own library loads, and a heatmap that a browser opens without a complaint."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from fsoc.coverage.gaps import gaps
from fsoc.coverage.groups import groups_of
from fsoc.coverage.heatmap import html_of
from fsoc.coverage.judge import WINDOW_MS
from fsoc.coverage.layer import layer_of
from fsoc.coverage.words import LOOKS, STEPS, TACTICS_ZH, step_of
from tests.coverage.conftest import NOW_MS, heartbeat_body, ticket_body

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def members(member):
    """One of tier 1 that covers an item, and one of tier 3 whose name is an attack on whoever shows it."""
    good = member(heartbeat_body(NOW_MS), ticket_body(1, NOW_MS, "FB-0001"))
    odd = member(name="fi-002", tier=3)
    object.__setattr__(odd.institution, "name", "<script>alert(1)</script>")
    return [good, odd]


@pytest.fixture
def groups(members, norm):
    return {group.name: group for group in groups_of(members, norm, ["all", "tier", "sector", "institution"])}


def drawn(group, norm, **options) -> str:
    return html_of(group, norm, gaps(group.members, norm, {}), now_ms=NOW_MS, window_ms=WINDOW_MS, **options)


def test_every_layer_is_loaded_by_mitreattack_python_and_says_the_same(groups, norm):
    from mitreattack.navlayers import Layer  # late: it takes seconds to import

    for group in groups.values():
        text = json.dumps(layer_of(group, norm, NOW_MS), ensure_ascii=False)
        loaded = Layer(text).layer
        assert loaded is not None, "the library says on stderr why"
        assert loaded.versions.layer == "4.5"
        assert loaded.versions.attack == "19"
        assert loaded.domain == "enterprise-attack"
        assert {each.techniqueID for each in loaded.techniques} == set(group.techniques)


def test_of_one_institution_a_technique_has_its_status_colour_and_of_several_the_share(groups, norm):
    one, several = (layer_of(groups[name], norm, NOW_MS) for name in ("fi-001", "all"))
    of_one, of_several = (
        {each["techniqueID"]: each for each in layer["techniques"]}["T1490"] for layer in (one, several)
    )

    assert (of_one["score"], of_one["color"]) == (100, LOOKS["covered"].fill)
    assert of_one["comment"] == "covered · 已涵蓋"
    assert (of_several["score"], "color" in of_several) == (50, False)
    assert of_several["comment"] == "1 covered · 已涵蓋; 1 missing · 未部署"
    assert [each["label"] for each in one["legendItems"]] == [look.word.both for look in LOOKS.values()]


class Document(HTMLParser):
    """What is in it: tags that are open, ids, links, texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("tr", "td", "th"):
            while self.open and self.open[-1] in ("tr", "td", "th"):
                self.open.pop()
        assert self.open, tag
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["all", "tier-3", "fi-001"])
def test_the_heatmap_has_every_tactic_and_needs_nothing_from_outside(groups, norm, name):
    document = Document(drawn(groups[name], norm))

    assert document.ids == [tactic.id for tactic in norm.techniques.tactics()]
    assert len(document.ids) == 15
    assert document.open == []
    assert "script" not in document.tags
    assert document.links == ["data:,"]


def test_what_a_registry_says_is_escaped(groups, norm):
    text = drawn(groups["all"], norm)

    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_what_colour_tells_is_told_by_signs_and_words_too(groups, norm):
    one, several = drawn(groups["fi-001"], norm), drawn(groups["all"], norm)

    cell = re.search(r'<li class="s-covered"[^>]*>.*?</li>', one)[0]
    assert LOOKS["covered"].sign in cell
    assert '<span class="vh">, covered · 已涵蓋</span>' in cell
    assert re.search(r'<span class="n">1/2</span><span class="sign" aria-hidden="true">◕</span> <b>T1490</b>', several)
    assert len({look.sign for look in LOOKS.values()}) == len(LOOKS)
    assert len({step.sign for step in STEPS}) == len(STEPS)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("look", [*LOOKS.values(), *STEPS])
def test_text_stands_out_from_its_ground(look):
    """WCAG 2, level AA: 4.5 : 1."""
    lighter, darker = sorted((luminance(look.fill), luminance(look.ink)), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("share", "sign"), [(1, "●"), (0.75, "●"), (0.74, "◕"), (0.5, "◕"), (0.25, "◑"), (0.01, "◔"), (0, "○")]
)
def test_a_share_is_drawn_by_its_step_and_nobody_is_a_step_of_its_own(share, sign):
    assert STEPS[step_of(share)].sign == sign


def test_every_tactic_has_a_name_in_chinese(norm):
    assert set(TACTICS_ZH) == {tactic.id for tactic in norm.techniques.tactics()}


def test_a_technique_that_nobody_is_asked_for_is_there_all_the_same(groups, norm):
    text = drawn(groups["all"], norm)

    assert re.search(
        r'<li class="none"><span class="sign" aria-hidden="true">·</span> <b>T1595</b> Active Scanning', text
    )
    shown = set(re.findall(r"<b>(T\d{4})</b>", text))
    assert shown == {name for name in norm.techniques.ids_in_use() if "." not in name}


def test_that_of_one_institution_says_nothing_of_another(groups, norm):
    assert "fi-002" not in drawn(groups["fi-001"], norm)


def test_without_alerts_it_says_that_none_ranked_the_gaps(groups, norm):
    assert "No alerts were read" in drawn(groups["all"], norm, alerts_read=False)
    assert "No alerts were read" not in drawn(groups["all"], norm)


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_opens_it_without_an_error_and_shows_every_tactic(groups, norm, tmp_path):
    page = tmp_path / "heatmap.html"
    page.write_text(drawn(groups["all"], norm), encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    console = ["--enable-logging=stderr", "--v=0", "--dump-dom", page.as_uri()]

    opened = subprocess.run([*command, *console], capture_output=True, text=True, timeout=120, check=True)

    assert [line for line in opened.stderr.splitlines() if ":CONSOLE" in line or "Uncaught" in line] == []
    sections = re.findall(r'<section class="tactic" id="(TA\d{4})">', opened.stdout)
    assert sections == [tactic.id for tactic in norm.techniques.tactics()]
    assert f'<h3>Impact <span lang="zh-Hant">{TACTICS_ZH["TA0040"]}</span></h3>' in opened.stdout
