"""The credentials file is changed in one place, and says the same everywhere else."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.errors import RefusedToStart
from fsoc.runtime.gateway.credential_edit import NEW, entry_lines, with_token, without_institution
from fsoc.runtime.gateway.credentials import Credential, Credentials, digest_of

OURS = Credential("fi-001", digest_of(b"new"), None, "kit-fi-001")
FILE = f"""\
# who may send
credentials:
  # by hand
  - institution: fi-001
    token_sha256: "{digest_of(b"a")}"   # the first
    name: siem-1
  - institution: fi-002
    certificate_sha256: "{digest_of(b"b")}"
    not_after: 2027-06-30

# the end
"""


def said(text):
    return {(one.institution, one.digest, one.name) for one in Credentials.parse(text, "w").all}


def test_a_token_is_added_at_the_end_and_nothing_else_changes():
    made = with_token(FILE, "w", OURS)

    entry = "\n".join(entry_lines(OURS)) + "\n"
    assert made == FILE.replace("2027-06-30\n", f"2027-06-30\n{entry}")


def test_a_token_takes_the_place_of_the_one_that_is_called_so_and_of_no_other():
    next_one = Credential("fi-001", digest_of(b"next"), dt.date(2027, 1, 1), "kit-fi-001")
    namesake = Credential("fi-002", digest_of(b"theirs"), None, "kit-fi-001")
    before = with_token(with_token(FILE, "w", OURS), "w", namesake)

    made = with_token(before, "w", next_one)

    assert said(made) == said(before) - {("fi-001", OURS.digest, OURS.name)} | {
        ("fi-001", next_one.digest, next_one.name)
    }
    assert "# by hand" in made
    assert made.endswith("\n# the end\n")


def test_an_institution_is_taken_out_with_all_that_it_has():
    made = without_institution(with_token(FILE, "w", OURS), "w", "fi-001")

    assert {institution for institution, *_ in said(made)} == {"fi-002"}
    assert without_institution(made, "w", "fi-001") == made
    assert "# by hand" in made


def test_the_last_may_be_taken_out_and_another_be_added_again():
    nobody = without_institution(without_institution(FILE, "w", "fi-001"), "w", "fi-002")

    assert said(nobody) == set()
    assert said(with_token(nobody, "w", OURS)) == {("fi-001", OURS.digest, "kit-fi-001")}


@pytest.mark.parametrize(
    "text", ["", NEW, "credentials:", "credentials: []", "credentials: []   # nobody\n# end", "credentials: ~\n", "\n"]
)
def test_where_nobody_is_yet_one_is_begun(text):
    made = with_token(text, "w", OURS)

    assert said(made) == {("fi-001", OURS.digest, "kit-fi-001")}
    if "#" in text:
        assert made.count("#") == text.count("#")


def test_line_ends_stay_as_they_are():
    made = with_token(FILE.replace("\n", "\r\n"), "w", OURS)

    assert made == with_token(FILE, "w", OURS).replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text",
    [
        f'credentials: [{{institution: fi-001, token_sha256: "{digest_of(b"a")}"}}]\n',
        f'{{"credentials": [{{"institution": "fi-001", "token_sha256": "{digest_of(b"a")}"}}]}}',
        f'credentials: &all\n  - &one {{institution: fi-001, token_sha256: "{digest_of(b"a")}"}}\n  ? x\n',
        "credentials: {}\n",
    ],
)
def test_a_layout_that_cannot_be_changed_is_left_to_people(text):
    with pytest.raises(RefusedToStart):
        with_token(text, "w", OURS)


entries = st.lists(
    st.tuples(st.sampled_from(["fi-001", "fi-002"]), st.sampled_from(["", "kit-fi-001", "a: b"])),
    min_size=1,
    max_size=5,
)


@given(entries, st.integers(0, 4), st.booleans())
def test_whatever_is_in_it_what_is_added_and_taken_out_is_all_that_changes(several, width, flow):
    lines = ["credentials:"]
    for number, (institution, name) in enumerate(several):
        one = Credential(institution, digest_of(b"%d" % number), None, name)
        if flow:
            lines.append(f"{' ' * width}- {{{', '.join(line.strip(' -') for line in entry_lines(one))}}}  # {number}")
        else:
            lines += [*entry_lines(one, " " * width), f"# {number}"]
    text = "\n".join(lines) + "\n"

    added = with_token(text, "w", OURS)
    kept = {one for one in said(text) if (one[0], one[2]) != ("fi-001", "kit-fi-001")}
    assert said(added) == kept | {("fi-001", OURS.digest, OURS.name)}
    assert said(without_institution(added, "w", "fi-001")) == {one for one in kept if one[0] != "fi-001"}
