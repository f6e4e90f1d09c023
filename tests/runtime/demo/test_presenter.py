"""The terminal is given back as it was found, and what matters stays on it."""

from __future__ import annotations

import io

import orjson
import pytest
from rich.console import Console

from fsoc.exercise import score
from fsoc.runtime.demo.presenter import ScreenPresenter

OTHER_PAGE, FIRST_PAGE = "\x1b[?1049h", "\x1b[?1049l"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def out():
    return io.StringIO()


@pytest.fixture
def presenter(out):
    console = Console(file=out, force_terminal=True, width=100, height=30, color_system="standard", highlight=False)
    return ScreenPresenter(console)


def test_a_show_plays_on_the_other_page_and_its_summary_stays_on_the_first(presenter, out, picture, small, alert_on):
    presenter.prepare("Kafka is starting")
    presenter.begin(picture)
    alert = picture.take_alert(orjson.dumps(alert_on(small.truth[0])))
    presenter.alert(alert)
    presenter.refresh()
    picture.score = score(small.truth, picture.alerts.values())
    presenter.end()
    presenter.close()
    text = out.getvalue()
    before, _, rest = text.partition(OTHER_PAGE)
    during, _, after = rest.partition(FIRST_PAGE)

    assert "Kafka is starting" in before
    assert alert["rule_title"] in during
    assert alert["rule_title"] in after
    assert "FAILED" in after
    assert text.rindex(SHOW_CURSOR) > text.rindex(HIDE_CURSOR)


def test_a_show_that_never_began_leaves_the_terminal_alone(presenter, out):
    presenter.prepare("Kafka is starting")
    presenter.notice("no Kafka here")
    presenter.close()

    assert "no Kafka here" in out.getvalue()
    assert OTHER_PAGE not in out.getvalue()
    assert HIDE_CURSOR not in out.getvalue()


def test_a_second_exercise_uses_the_same_page(presenter, out, picture, small):
    presenter.begin(picture)
    presenter.prepare("another exercise is getting ready")
    presenter.begin(picture)
    presenter.close()

    assert out.getvalue().count(OTHER_PAGE) == 1
    assert "getting ready" not in out.getvalue()
