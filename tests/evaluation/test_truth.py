"""Which ticket bears which label."""

from __future__ import annotations

import pytest

from fsoc.evaluation.records import TruthLine
from fsoc.evaluation.truth import LabelledTwice, Truth


def test_a_line_that_names_an_institution_is_about_its_ticket_alone():
    truth = Truth.of([TruthLine("7", "kit", "a"), TruthLine("7", None, "b")])

    assert truth.label_of(("a", "7")) == "kit"
    assert truth.label_of(("b", "7")) is None
    assert truth.label_of(("c", "7")) is None


def test_a_line_without_institution_is_about_every_ticket_of_the_id_but_those_named_on_their_own():
    truth = Truth.of([TruthLine("7", "kit", None), TruthLine("7", None, "b")])
    known = [("a", "7"), ("b", "7"), ("c", "7"), ("a", "8")]

    assert truth.labels(known)["kit"].tickets == {("a", "7"), ("c", "7")}
    assert truth.shared_ids(known) == 1
    assert truth.shared_ids([("a", "7"), ("b", "7")]) == 0


def test_labelled_tickets_that_nobody_knows_belong_to_the_label_all_the_same():
    truth = Truth.of([TruthLine("7", "kit", None), TruthLine("8", "kit", "a"), TruthLine("9", None, None)])
    (label,) = truth.labels([]).values()

    assert label.elsewhere == {"7"}
    assert label.tickets == {("a", "8")}
    assert label.ticket_count == 2
    assert label.is_joint  # nothing says that 7 is not another institution's


def test_a_label_of_one_institution_is_not_joint():
    (label,) = Truth.of([TruthLine("7", "kit", "a"), TruthLine("8", "kit", "a")]).labels([]).values()

    assert not label.is_joint


def test_contradictions_are_refused_and_repetitions_are_not():
    truth = Truth.of([TruthLine("7", "kit", "a"), TruthLine("7", "kit", "a"), TruthLine("7", None, None)])

    with pytest.raises(LabelledTwice, match='benign here, "kit" before'):
        truth.take(TruthLine("7", None, "a"))
    with pytest.raises(LabelledTwice, match='"kit" here, benign before'):
        truth.take(TruthLine("7", "kit", None))


def test_labels_come_in_the_order_in_which_people_count():
    truth = Truth.of(TruthLine(str(number), f"campaign-{number}", None) for number in (10, 9, 1, 2))

    assert list(truth.labels([])) == ["campaign-1", "campaign-2", "campaign-9", "campaign-10"]
