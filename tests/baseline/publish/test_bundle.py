"""A bundle: the same bytes for the same content, whole, and believed only if it is what was signed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsoc.baseline.model import Baseline
from fsoc.baseline.publish.bundle import MANIFEST, SIGNATURE, bundle
from fsoc.baseline.publish.verify import TYPE, payload, verify
from fsoc.client.signing import Signer, make_key
from fsoc.institutions.signing import key_of_jwk


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """(signer, public key) of the joint SOC, and of somebody else."""
    folder = tmp_path_factory.mktemp("keys")
    made = []
    for name in ("ours", "other"):
        public = make_key(folder / name)
        made.append((Signer.from_file(folder / name), key_of_jwk(public, name)))
    return made


@pytest.fixture(scope="module")
def signed(files, keys):
    signer = keys[0][0]
    return {**files, SIGNATURE: signer.jws(payload(files[MANIFEST], "2026.4"), TYPE).encode()}


def test_equal_content_gives_equal_bytes(loaded, matrix, files):
    assert bundle(loaded.baseline, matrix, "terms") == files


def test_it_has_every_rule_in_every_language_and_notes_in_two(files, matrix):
    rules = {row.rule.name for row in matrix.rows}

    assert {path for path in files if path.startswith("rules/")} == {f"rules/{name}.yml" for name in rules}
    assert {path for path in files if path.startswith("queries/splunk/")} == {
        "queries/splunk/index.json",
        *(f"queries/splunk/{name}.spl" for name in rules),
    }
    index = json.loads(files["queries/elastic-esql/index.json"])
    assert set(index) == rules
    for name in ("matrix.csv", "matrix.json", "matrix.md", "matrix.html", "CHANGELOG.md", "NOTICE"):
        assert files[name]
    assert "How to adopt it" in files["RELEASE.en.md"].decode()
    assert "導入步驟" in files["RELEASE.zh-TW.md"].decode()


def test_a_bundle_that_is_whole_and_signed_is_believed(signed, keys):
    verdict = verify(signed, keys[0][1])

    assert verdict.problems == ()
    assert verdict.believed
    assert verdict.signed_by == keys[0][1].kid
    assert verdict.version == "2026.4"


def test_a_signature_that_nobody_held_against_a_key_is_not_believed(signed):
    verdict = verify(signed, None)

    assert verdict.problems == ()
    assert not verdict.believed


def test_what_another_key_signed_or_nobody_is_told(signed, files, keys):
    by_other = verify(signed, keys[1][1])
    by_nobody = verify(files, keys[0][1])

    assert "was not made by the key" in by_other.problems[0].text
    assert "not signed" in by_nobody.problems[0].text
    assert not by_other.believed
    assert not by_nobody.believed


def test_a_signature_for_another_purpose_is_none(files, keys):
    """What an institution signs its tickets with says nothing of a baseline."""
    batch = keys[0][0].sign([b"{}"])

    verdict = verify({**files, SIGNATURE: batch.encode()}, keys[0][1])

    assert f"is no signature of the type {TYPE}" in verdict.problems[0].text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_change_of_any_file_goes_unseen(signed, keys, data):
    path = data.draw(st.sampled_from(sorted(signed)))
    before = signed[path]
    place = data.draw(st.integers(0, len(before) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "grow", "drop", "add"]))
    changed = dict(signed)
    match kind:
        case "flip":
            changed[path] = (
                before[:place] + bytes([before[place] ^ (1 << data.draw(st.integers(0, 7)))]) + before[place + 1 :]
            )
        case "cut":
            changed[path] = before[:place]
        case "grow":
            changed[path] = before + b"\x00"
        case "drop":
            del changed[path]
        case "add":
            changed[f"{path}.more"] = b"x"

    verdict = verify(changed, keys[0][1])

    assert verdict.problems
    assert not (verdict.believed and kind in {"flip", "cut"} and path in {MANIFEST, SIGNATURE})


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b"])
def test_a_manifest_does_not_lead_out_of_its_folder(files, path):
    told = json.loads(files[MANIFEST])
    told["files"][path] = {"bytes": 1, "sha256": "0" * 64}

    verdict = verify({**files, MANIFEST: json.dumps(told).encode()}, None)

    assert "is no path within a bundle" in verdict.problems[0].text


def test_the_changelog_tells_what_came_went_and_changed(loaded, matrix, files):
    before = json.loads(files["items.json"])
    items = list(loaded.baseline.items.values())
    later = Baseline("2026.5", "19", [replace(items[0], tiers=(1,)), *items[2:], replace(items[1], id="FB-9999")])
    row = matrix.rows[0]
    other = replace(row, rule=replace(row.rule, text=row.rule.text + "# more\n"))

    made = bundle(later, replace(matrix, version="2026.5", rows=(other, *matrix.rows[1:])), "terms", before)
    told = made["CHANGELOG.md"].decode()

    assert "Since 2026.4" in told
    assert f"Items added 新增項目\n\n- FB-9999 {items[1].title}" in told
    assert f"Items removed 移除項目\n\n- {items[1].id}" in told
    assert f"- {items[0].id} {items[0].title} · {items[0].title_zh} ({items[0].technique}): tiers · 適用層級" in told
    assert f"Rules changed 變更規則\n\n- `{row.rule.name}`" in told
    assert "1 items added, 1 changed, 1 removed; 1 rules new or other" in made["RELEASE.en.md"].decode()


def test_a_version_in_which_nothing_changed_says_so(loaded, matrix, files):
    made = bundle(loaded.baseline, matrix, "terms", json.loads(files["items.json"]))

    assert "Nothing changed. 無變更。" in made["CHANGELOG.md"].decode()
