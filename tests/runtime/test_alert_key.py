"""The key that alerts' ids are made by: read once, the same in every worker, and told of where it is missing."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from fsoc.errors import RefusedToStart
from fsoc.runtime.alert_key import alert_key
from fsoc.settings import Settings

KEY = "0f" * 16


def settings(path, environment="production"):
    return Settings(alert_key_file=path, environment=environment)


def test_the_key_is_what_the_file_holds(tmp_path):
    path = tmp_path / "alert.key"
    path.write_text(f"{KEY}\n", encoding="utf-8")

    with capture_logs() as logs:
        assert alert_key(settings(path), warns=True) == KEY.encode()
    assert logs == []


@pytest.mark.parametrize("held", ["", "short", "x" * 65])
def test_a_key_that_can_be_tried_or_is_too_long_is_refused(tmp_path, held):
    path = tmp_path / "alert.key"
    path.write_text(held, encoding="utf-8")

    with pytest.raises(RefusedToStart, match=rf"alert\.key: holds {len(held)} bytes, expected 16 to 64; make one with"):
        alert_key(settings(path))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RefusedToStart, match=r"none\.key: No such file"):
        alert_key(settings(tmp_path / "none.key"))


@pytest.mark.parametrize(("environment", "warned"), [("production", 1), ("exercise", 0), ("test", 0)])
def test_without_one_production_is_warned(environment, warned):
    with capture_logs() as logs:
        assert alert_key(settings(None, environment), warns=True) == b""
        assert alert_key(settings(None, environment)) == b""
    assert [line["event"] for line in logs] == ["alert_ids_can_be_reckoned"] * warned
