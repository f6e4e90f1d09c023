"""JSON Pointers are RFC 6901's, and bounded."""

from fsoc.tickets.pointer import POINTER_MAX, pointer


def test_a_path_is_written_as_the_rfc_says():
    assert pointer(()) == ""
    assert pointer(("observables", 3, "a/b", "m~n", "")) == "/observables/3/a~1b/m~0n/"
    assert pointer(("~1",)) == "/~01"


def test_a_long_path_is_cut_and_says_so():
    text = pointer(("x" * 10_000,))

    assert len(text) == POINTER_MAX
    assert text.endswith("…")
