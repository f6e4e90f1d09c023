"""A drill's score: the first ticket after an inject counts, each institution's own alone, and nothing after the end."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from fsoc.drills.report import html_of, markdown_of, span
from fsoc.drills.score import Posed, Reported, ToldOf, score_drill

S = 1_000


def posed(inject_id="i-1", institution="fi-001", at=10, indicators=("evil.example",)):
    return Posed(inject_id, institution, "phishing_kit", "Credentials sent", frozenset(indicators), at * S)


def ticket(at, institution="fi-001", refs=(), values=(), ticket_id="t-1"):
    return Reported(institution, ticket_id, frozenset(refs), frozenset(values), at * S)


def scored(injects, tickets, told=(), stopped=None, institutions=("fi-001", "fi-002")):
    return score_drill("spring", 0, stopped, institutions, injects, tickets, told)


def of_inject(score):
    return [(one.ticket_id, one.after_s) for member in score.members for one in member.injects]


def test_a_ticket_answers_by_naming_the_inject_or_an_indicator_of_it():
    assert of_inject(scored([posed()], [ticket(25, refs=["i-1"])])) == [("t-1", 15.0)]
    assert of_inject(scored([posed()], [ticket(25, values=["x", "evil.example"])])) == [("t-1", 15.0)]
    assert of_inject(scored([posed()], [ticket(25, values=["other.example"])])) == [(None, None)]


def test_the_first_counts_and_none_from_before_and_none_of_others():
    tickets = [
        ticket(40, refs=["i-1"], ticket_id="later"),
        ticket(30, refs=["i-1"], ticket_id="first"),
        ticket(5, refs=["i-1"], ticket_id="before"),
        ticket(12, "fi-002", refs=["i-1"], ticket_id="theirs"),
    ]
    assert of_inject(scored([posed()], tickets)) == [("first", 20.0)]


def test_nothing_after_the_end_counts():
    told = [ToldOf("fi-001", "al-1", 20 * S, 50 * S)]
    score = scored([posed()], [ticket(40, refs=["i-1"])], told, stopped=39 * S)

    assert score.members[0].missed == 1
    assert score.members[0].unanswered == 1
    assert scored([posed()], [ticket(40, refs=["i-1"])], told, stopped=50 * S).members[0].answer_seconds == [30.0]


def test_what_was_told_after_the_end_is_not_asked_about():
    told = [ToldOf("fi-001", "al-1", 40 * S, None), ToldOf("fi-001", "al-2", 39 * S, None)]

    assert [one.alert_id for one in scored([], [], told, stopped=39 * S).members[0].told] == ["al-2"]
    assert scored([], [], told).members[0].unanswered == 2


def test_who_was_posed_nothing_is_there_and_missed_nothing():
    score = scored([posed()], [])

    assert [(one.institution, len(one.injects), one.missed) for one in score.members] == [
        ("fi-001", 1, 1),
        ("fi-002", 0, 0),
    ]
    assert score.wire()["exercise"] is True


TICKETS = st.lists(
    st.builds(
        ticket,
        st.integers(0, 60),
        st.sampled_from(["fi-001", "fi-002"]),
        st.lists(st.sampled_from(["i-1", "i-2"]), max_size=2),
        st.lists(st.sampled_from(["evil.example", "x"]), max_size=2),
        st.sampled_from(["a", "b", "c"]),
    ),
    max_size=8,
)


@given(TICKETS, st.none() | st.integers(0, 60), st.randoms())
def test_it_is_what_a_plain_twin_says_whatever_the_order(tickets, stopped, random):
    injects = [posed("i-1", "fi-001", 10), posed("i-2", "fi-002", 20, ("x",))]
    expected = []
    for one in injects:
        fitting = [
            other.at_ms
            for other in tickets
            if other.institution == one.institution
            and other.at_ms >= one.at_ms
            and (stopped is None or other.at_ms <= stopped * S)
            and (one.inject_id in other.refs or other.values & one.indicators)
        ]
        expected.append((min(fitting) - one.at_ms) / 1000 if fitting else None)
    shuffled = list(tickets)
    random.shuffle(shuffled)

    score = scored(injects, shuffled, stopped=None if stopped is None else stopped * S)
    assert [seconds for _, seconds in of_inject(score)] == expected


class Text(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.text = set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_the_report_says_it_in_both_languages_and_marks_the_drill_and_escapes_what_came():
    evil = posed("i-1", indicators=())._replace(title="<script>x</script> | *y*")
    names = {"fi-001": ("First <b>Bank", "第一銀行")}
    told = [ToldOf("fi-001", "al-1", 20 * S, 95 * S), ToldOf("fi-002", "al-1", 20 * S, None)]
    score = score_drill(
        "spring", 0, 200 * S, ["fi-001", "fi-002"], [evil], [ticket(25, refs=["i-1"])], told, names=names
    )

    page = html_of(score)
    assert "【演練】" in page and "script" not in Text(page).tags  # noqa: PT018
    assert "<script>x</script>" in Text(page).text
    for said in (page, markdown_of(score)):
        for part in ("第一銀行", "missed · 未通報", "15 s", "1 min 15 s", "t-1"):
            assert part in said, part
    row = next(line for line in markdown_of(score).splitlines() if "phishing" in line)
    assert row.replace("\\|", "").count("|") == 6


def test_spans_are_told_as_people_say_them():
    assert [span(one) for one in (None, 0, 59.4, 60, 3599, 3660)] == [
        "–",
        "0 s",
        "59 s",
        "1 min 00 s",
        "59 min 59 s",
        "1 h 01 min",
    ]
