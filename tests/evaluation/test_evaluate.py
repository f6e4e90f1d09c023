"""Every figure on cases that can be reckoned by hand."""

from __future__ import annotations

import pytest

from fsoc.evaluation.evaluate import evaluate
from fsoc.evaluation.records import TruthLine
from fsoc.evaluation.shares import Share
from fsoc.evaluation.truth import Truth

DAY = 24 * 60
START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z, the minute 0 of the builders


def named(evaluation, name):
    return next(label for label in evaluation.labels if label.name == name)


def test_an_alert_is_true_when_half_of_its_tickets_bear_a_label_and_it_names_two_of_its_institutions(alert, truth):
    known = truth(kit="a1 b1 c1")
    half = evaluate([alert("x", "a1 b1 d1 d2")], known)
    fewer = evaluate([alert("x", "a1 d1 d2")], known)
    # One of its institutions: c's own ticket is not the kit's, but c was struck, and so is named.
    one = evaluate([alert("x", "a1 a2 d1")], known)
    struck = evaluate([alert("x", "a1 c2")], known)

    assert half.precision == Share(1, 1)
    assert fewer.precision == one.precision == Share(0, 1)
    assert [alarm.touched for alarm in fewer.false_alarms] == [("kit",)]
    assert struck.precision == Share(0, 1)
    assert evaluate([alert("x", "a1 c2"), alert("y", "b1 c1")], known).precision == Share(2, 2)


def test_precision_recall_and_f1(alert, truth):
    """Two of three alerts are on a label, one of two labels is found."""
    evaluation = evaluate(
        [alert("x", "a1 b1"), alert("y", "b1 c1"), alert("z", "d8 e8")], truth(kit="a1 b1 c1", flood="d1 e1")
    )

    assert (evaluation.precision, evaluation.recall) == (Share(2, 3), Share(1, 2))
    assert evaluation.f1 == pytest.approx(2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2))
    assert evaluation.missed == ["flood"]
    assert [alarm.alert_id for alarm in evaluation.false_alarms] == ["z"]


def test_an_alert_may_be_on_two_labels_half_of_it_each(alert, truth):
    evaluation = evaluate([alert("x", "a1 b1 a2 b2")], truth(one="a1 b1", two="a2 b2"))

    assert evaluation.precision == Share(1, 1)
    assert evaluation.recall == Share(2, 2)


def test_only_the_newest_revision_counts_whatever_the_order_of_lines(alert, truth):
    old, new = alert("x", "d1 e1", revision=2), alert("x", "a1 b1", revision=10)

    for lines in ([old, new], [new, old]):
        assert evaluate(lines, truth(kit="a1 b1")).precision == Share(1, 1)
    # As in a compacted topic: what was said last of one revision holds.
    assert evaluate([new, alert("x", "d1 e1", revision=10)], truth(kit="a1 b1")).precision == Share(0, 1)


def test_retracted_merged_and_other_kinds_are_counted_apart_and_in_no_figure(alert, truth):
    evaluation = evaluate(
        [
            alert("x", status="retracted"),
            alert("y", "d1 e1", status="retracted", rule_id="other"),
            alert("z", status="merged"),
            alert("u", "d1", kind="local"),
            alert("v", kind="feed"),
            alert("t", kind="rule"),
            alert("w", suppressed=True),
        ],
        truth(kit="a1 b1"),
    )

    assert evaluation.apart == {"feed": 1, "local": 1, "merged": 1, "retracted": 2, "rule": 1, "suppressed": 1}
    assert evaluation.precision == Share(0, 0)
    assert evaluation.recall == Share(0, 1)
    assert evaluation.f1 is None
    assert {rule.rule_id: rule.retracted for rule in evaluation.rules} == {"rule": 1, "other": 1}
    assert any("precision cannot be given" in note.en for note in evaluation.notes)


def test_labels_of_one_institution_are_listed_and_nobody_is_asked_to_find_them(alert, truth, tickets):
    evaluation = evaluate([alert("x", "a1 b1")], truth(kit="a1 b1", alone="c1 c2"), tickets("a1@0 b1@0 c1@0 c2@0"))

    assert evaluation.recall == Share(1, 1)
    assert evaluation.local_labels == ("alone",)


def test_the_figures_of_a_rule_are_of_its_own_alerts_and_its_recall_is_of_all_labels(alert, truth):
    evaluation = evaluate(
        [
            alert("x", "a1 b1 b2", rule_id="one", rule_title="B"),
            alert("y", "c1 d1", rule_id="one", rule_title="B", raised=9),
            alert("z", "a1 b1", rule_id="two", rule_title="A"),
            alert("u", "e1 f1", rule_id="two", rule_title="A"),
        ],
        truth(kit="a1 b1", flood="c1 d1"),
    )
    two, one = evaluation.rules

    assert (one.precision, one.recall, one.f1, one.only) == (Share(2, 2), Share(2, 2), 1.0, ("flood",))
    assert (two.precision, two.recall, two.only) == (Share(1, 2), Share(1, 2), ())
    assert two.f1 == pytest.approx(0.5)
    assert (one.tickets_per_alert.least, one.tickets_per_alert.most) == (2, 3)


def test_the_figures_of_a_label(alert, truth, tickets):
    """Two alerts are on the kit, a third touches it only; c1 stands in none that is on it, d in none at all."""
    evaluation = evaluate(
        [alert("x", "a1 b1"), alert("y", "a1 b1 b2", raised=5), alert("z", "c1 e1 e2 e3")],
        truth(kit="a1 b1 b2 c1 d1"),
        tickets("a1@0 b1@0 b2@0 c1@0 d1@0"),
    )
    kit = named(evaluation, "kit")

    assert kit.alert_ids == ("x", "y")
    assert kit.precision == Share(2, 3)
    assert kit.recall == Share(3, 5)
    assert (kit.covered, kit.struck) == (2, 4)
    assert kit.tickets_per_alert.median == 2
    assert kit.tickets_per_alert.most == 3


def test_times_are_from_the_first_ticket_the_third_institution_and_the_arrival_of_the_deciding_ticket(
    alert, truth, tickets
):
    """
    a1 b1    c1    d1         the kit's
    |--|-----|-----|------→ minutes
    0  10    20    50
                   ^ raised at 50; d1 came at 57; a second alert is later
    """
    evaluation = evaluate(
        [alert("y", "a1 b1 c1 d1", raised=60), alert("x", "a1 b1 c1 d1", raised=50)],
        truth(kit="a1 b1 c1 d1"),
        tickets("a1@0 b1@10 c1@20 d1@50+7"),
    )
    kit = named(evaluation, "kit")

    assert kit.alert_ids == ("x", "y")
    assert (kit.after_first_s, kit.after_third_s, kit.after_deciding_s) == (50 * 60, 30 * 60, 7 * 60)
    # Of y no ticket happened when it was raised: its figure is not known, and not counted.
    assert (evaluation.after_deciding_s.count, evaluation.after_deciding_s.most) == (1, 7 * 60)


def test_the_third_institution_is_the_third_independent_one_and_two_have_none(alert, truth, tickets):
    sent = tickets("a1@0 b1@10 c1@20 d1@40")
    known = truth(kit="a1 b1 c1 d1")
    raised = [alert("x", "a1 b1 c1 d1", raised=30)]
    group = evaluate(raised, known, sent, lambda name: "holding" if name in "ab" else name)
    pair = evaluate(raised, known, sent, lambda name: "holding" if name in "abc" else name)

    assert named(evaluate(raised, known, sent), "kit").after_third_s == 10 * 60
    assert named(group, "kit").after_third_s == -10 * 60
    assert named(pair, "kit").after_third_s is None


def test_of_two_tickets_of_the_deciding_moment_the_one_that_came_last_counts(alert, truth, tickets):
    evaluation = evaluate([alert("x", "a1 b1", raised=5)], truth(kit="a1 b1"), tickets("a1@5+9 b1@5+2"))

    assert evaluation.after_deciding_s.median == 9 * 60


def test_intel_that_completed_the_window_decided_and_is_no_ticket(alert, truth, tickets):
    """
    a1 b1        c1           c1 warns, at 20, and that came at 24
    |--|---------|------→ minutes
    0  10        20 raised
    """
    warned = alert("x", "a1 b1", raised=20, intel=(("c", "c1"),))
    sent = tickets("a1@0 b1@10 c1!20+4")
    evaluation = evaluate([warned], truth(kit="a1 b1"), sent)
    kit = named(evaluation, "kit")

    assert (kit.after_first_s, kit.after_deciding_s) == (20 * 60, 4 * 60)
    assert (evaluation.after_deciding_s.count, kit.struck) == (1, 2)
    assert (len(sent), set(sent), sent.span_ms) == (2, {("a", "a1"), ("b", "b1")}, (START_MS, START_MS + 10 * 60_000))


def test_of_a_ticket_and_intel_of_the_deciding_moment_the_one_that_came_last_counts(alert, truth, tickets):
    """A ticket and intel of one name are two: c1 the ticket is not in the alert."""
    warned = alert("x", "a1 b1", raised=20, intel=(("c", "c1"),))
    evaluation = evaluate([warned], truth(kit="a1 b1"), tickets("a1@0 b1@20+1 c1!20+4 c1@20+9"))

    assert evaluation.after_deciding_s.most == 4 * 60


@pytest.mark.parametrize("is_known", [True, False], ids=["with tickets", "without"])
def test_an_alert_that_stood_before_the_first_ticket_of_a_label_took_no_time(alert, truth, tickets, is_known):
    """Raised at 5 by tickets that do not bear the label, which its own join at 50."""
    raised = alert("x", "a1 b1", raised=5, first=50)
    evaluation = evaluate([raised], truth(kit="a1 b1"), tickets("a1@50 b1@60") if is_known else None)

    assert named(evaluation, "kit").after_first_s == 0


def test_without_tickets_times_are_what_alerts_say_and_the_report_says_which_are_missing(alert, truth):
    evaluation = evaluate(
        [alert("x", "a1 b1", raised=50, first=20), alert("y", "a1 b1", raised=70, first=10)], truth(kit="a1 b1 c1")
    )
    kit = named(evaluation, "kit")

    assert (kit.after_first_s, kit.after_third_s, kit.after_deciding_s) == (40 * 60, None, None)
    said = " ".join(note.en for note in evaluation.notes)
    assert "from the third institution, and from the deciding ticket, none can be given" in said
    assert "quiet days" in said
    assert "1 labels not every ticket's institution is known" in said  # c1 is in no alert
    assert all(note.zh for note in evaluation.notes)


def test_the_load_is_over_the_days_that_the_tickets_cover_and_stories_are_folded(alert, truth, tickets):
    """Six alerts in four days: two of one campaign, three that continue each other, one on its own."""
    evaluation = evaluate(
        [
            alert("a", raised=0, campaign_id="c"),
            alert("b", raised=DAY, campaign_id="c"),
            alert("m", raised=2 * DAY),
            alert("n", raised=2 * DAY + 1, continues="m"),
            alert("o", raised=3 * DAY, continues="n"),
            alert("p", "d1 e1", raised=3 * DAY),
        ],
        truth(kit="a1 b1"),
        tickets(f"a1@0 b1@{4 * DAY}"),
    )
    load = evaluation.load

    assert (load.days, load.alerts, load.stories) == (4.0, 6, 3)
    assert (load.alerts_per_day, load.stories_per_day) == (1.5, 0.75)
    assert [(day.date, day.true, day.false) for day in load.by_day] == [
        ("2026-03-02", 1, 0),
        ("2026-03-03", 1, 0),
        ("2026-03-04", 2, 0),
        ("2026-03-05", 1, 1),
        ("2026-03-06", 0, 0),
    ]


def test_less_than_a_day_counts_as_one_and_an_alert_that_is_continued_need_not_be_there(alert, truth, tickets):
    evaluation = evaluate(
        [alert("x", raised=0, continues="gone"), alert("y", raised=9, continues="gone")],
        truth(kit="a1 b1"),
        tickets("a1@0 b1@9"),
    )

    assert (evaluation.load.days, evaluation.load.stories) == (1.0, 1)


def test_nothing_at_all_is_an_evaluation_too(truth):
    evaluation = evaluate([], truth())

    assert (evaluation.precision, evaluation.recall, evaluation.load) == (Share(0, 0), Share(0, 0), None)
    assert {"precision cannot be given", "recall cannot be given"} <= {
        part
        for note in evaluation.notes
        for part in ("precision cannot be given", "recall cannot be given")
        if part in note.en
    }


def test_tickets_of_one_id_at_two_institutions_are_two(alert):
    """Only a's ticket 1 is the kit's; b's ticket 1 is not."""
    both = alert("x", "a1 b1", tickets={"a": ("1",), "b": ("1",)})
    exact = Truth.of([TruthLine("1", "kit", "a"), TruthLine("2", "kit", "b"), TruthLine("1", None, "b")])
    evaluation = evaluate([both], exact)

    assert evaluation.precision == Share(1, 1)  # half of its tickets, and b was struck
    assert named(evaluation, "kit").recall == Share(1, 2)


def test_labelled_tickets_that_are_not_in_the_ticket_files_are_told_of(alert, truth, tickets):
    evaluation = evaluate([alert("x", "a1 b1")], truth(kit="a1 b1 c9"), tickets("a1@0 z1@0"))

    assert any(note.en.startswith("2 labelled tickets are not in the ticket files") for note in evaluation.notes)


def test_a_revision_moves_a_ticket_and_its_first_message_says_when_it_came():
    from fsoc.evaluation.records import Sent
    from fsoc.evaluation.tickets import Tickets

    key = ("a", "a1")
    messages = [
        Sent(key, 2, 5_000, 9_000, 20_000),
        None,
        Sent(key, 1, None, 1_000, 10_000),
        Sent(key, 2, 7_000, 8_000, 5_000),
    ]
    tickets = Tickets.of(messages, lambda _: 60_000)
    times = tickets.get(key)

    assert (tickets.lines, len(tickets)) == (4, 1)
    assert (times.revision, times.event_ms, times.received_ms) == (2, 5_000, 5_000)
    assert times.moments == {1_000, 5_000, 7_000, 8_000, 9_000}
