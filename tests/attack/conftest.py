"""The shipped tables, and small ones with one thing wrong."""

from pathlib import Path

import pytest

from fsoc.attack import Techniques

MAPPINGS = Path(__file__).parents[2] / "attack_mappings"


@pytest.fixture(scope="session")
def shipped() -> list[tuple[str, str]]:
    return [(path.name, path.read_text("utf-8")) for path in sorted(MAPPINGS.glob("*.tsv"))]


@pytest.fixture(scope="session")
def techniques(shipped) -> Techniques:
    return Techniques.parse(shipped)


@pytest.fixture
def table():
    """Builder of one table: version, then rows as 'ID NAME tactics now'."""

    def build(version: str, *rows: str, tactics=("TA0005 stealth Stealth", "TA0040 impact Impact")) -> tuple[str, str]:
        lines = [f"# attack\t{version}"]
        lines += ["# tactic\t" + tactic.replace(" ", "\t") for tactic in tactics]
        lines += rows
        return f"enterprise-{version}.tsv", "\n".join(lines) + "\n"

    return build
