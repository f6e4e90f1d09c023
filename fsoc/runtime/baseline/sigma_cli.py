"""sigma-cli without a network: what pySigma would download of ATT&CK is put into its cache from our own table."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.attack_files import read_tables_of

CACHE: Final = Path(".cache") / "pysigma" / "mitre_attack"
"""Below the home folder; pySigma reads no variable of its own."""
D3FEND: Final = Path(".cache") / "pysigma" / "mitre_d3fend"
_KEY: Final = "mitre_attack_data"
_NO_D3FEND: Final = {
    "mitre_d3fend_version": "none",
    "mitre_d3fend_tactics": {},
    "mitre_d3fend_techniques": {},
    "mitre_d3fend_artifacts": {},
}
"""None of our rules has its tags; sigma-cli fetches it all the same, whatever it is to check."""


class Checked(NamedTuple):
    """What `sigma check` said, and its exit code."""

    code: int
    output: str


def seed(home: Path) -> str:
    """Write our newest table into pySigma's cache below a home folder; return its version.

    What was there is replaced: pySigma never looks whether it is out of date. Of D3FEND it is told that there is
    nothing, unless it has something already.

    Raises:
        RefusedToStart: it cannot be written.
    """
    import diskcache

    table = read_tables_of().versions[-1]
    data = {
        "mitre_attack_version": table.version,
        "mitre_attack_tactics": {tactic_id: short for short, (tactic_id, _) in table.tactics.items()},
        "mitre_attack_techniques": {row.id: row.name for row in table.rows.values() if not row.now},
        "mitre_attack_techniques_tactics_mapping": {
            row.id: list(row.tactics) for row in table.rows.values() if not row.now
        },
        "mitre_attack_intrusion_sets": {},
        "mitre_attack_software": {},
        "mitre_attack_datasources": {},
        "mitre_attack_mitigations": {},
    }
    try:
        with diskcache.Cache(str(home / CACHE)) as cache:
            cache.set(_KEY, data)
        with diskcache.Cache(str(home / D3FEND)) as cache:
            cache.add("mitre_d3fend_data", _NO_D3FEND)
    except OSError as error:
        raise RefusedToStart(Problem(str(home / CACHE), f"cannot be written: {error.strerror}")) from error
    return table.version


def check(rules: Path) -> Checked:
    """`sigma check` of these rules in a home folder of its own, seeded, with every proxy pointing nowhere."""
    with tempfile.TemporaryDirectory(prefix="fsoc-sigma-") as folder:
        seed(Path(folder))
        nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
        done = subprocess.run(
            [sys.executable, "-m", "sigma.cli.main", "check", "--fail-on-error", str(rules)],
            env={**os.environ, **nowhere, "HOME": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    return Checked(done.returncode, done.stdout + done.stderr)
