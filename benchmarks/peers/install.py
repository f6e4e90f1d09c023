"""Gets the peers from their registries, once, into a cache outside the checkout. Runs none of them.

Each is installed by name and version with its registry's own client, as its users install it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fsoc" / "peers"
INSTALL_SECONDS_MAX: Final = 1_800
_HERE: Final = Path(__file__).parent
# The newest that Rust 1.95 builds; 0.26.0 is out.
RSIGMA: Final = "0.23.0"
AZUMA: Final = "0.7.3"
SIGMA_RULE_MATCHER: Final = "0.1.0"
SIGMA_RUST: Final = "0.7.0"

Command = Callable[[Path, Path], list[str]]
"""From a folder of rules and a file of events."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to run one engine.

    variants: other ways to run the same, of which a lane takes the quickest. quick: thousands of events a second.
    """

    name: str
    version: str
    what: str
    command: Command
    variants: tuple[Command, ...] = ()
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """A peer that is not run, and why."""

    name: str
    reason: str


NOT_TO_BE_HAD: Final = (
    Absent("Zircolite", "not on PyPI; its way, rules as SQL over a table of events, takes whole files, not a stream"),
    Absent("chainsaw", "not on crates.io, where the name is another program's; hunts in EVTX files"),
    Absent("Hayabusa", "not on crates.io, where the name is another program's; hunts in EVTX files"),
    Absent("tau-engine", "on crates.io; chainsaw's engine, with rules of its own, not Sigma's"),
    Absent("zargunlite", "on PyPI; takes rules that something else has turned into SQL, and a table, not a stream"),
    Absent("sigma-go, sigmalite, go-sigma-rule-engine", "Go modules that the Go module proxy does not serve here"),
    Absent("confluent-sigma", "a Kafka Streams program: takes its events from Kafka, not from a file"),
    Absent("npm", "nothing found there that matches Sigma rules: what is called sigma draws graphs"),
)


def rsigma() -> Peer | Absent:
    """The engine's own command, events from a file, each lane with or without its Bloom filter as is quicker."""
    root = CACHE / f"rsigma-{RSIGMA}"
    program = root / "bin" / "rsigma"
    command = ["cargo", "install", "rsigma", "--version", RSIGMA, "--locked", "--quiet", "--root", str(root)]
    if (why := _made(program, "cargo", [command])) is not None:
        return Absent("rsigma", why)
    return Peer(
        "rsigma",
        RSIGMA,
        "Rust; `engine eval --logsource-routing`",
        _rsigma(program),
        (_rsigma(program, "--bloom-prefilter"),),
        quick=True,
    )


def rsigma_arguments(rules: Path, events: Path) -> list[str]:
    """`logsource` as our events state it; JSON and nothing else is read."""
    fields = "product=logsource.product,category=logsource.category,service=logsource.service"
    return [
        *("engine", "eval", "--rules", str(rules), "--event", f"@{events}", "--input-format", "json", "--quiet"),
        *("--logsource-routing", "--logsource-field-map", fields),
    ]


def _rsigma(program: Path, *more: str) -> Command:
    return lambda rules, events: [str(program), *rsigma_arguments(rules, events), *more]


def sigma_rust() -> Peer | Absent:
    """A library; the program around it is ours."""
    target = CACHE / f"sigma-rust-{SIGMA_RUST}"
    program = target / "release" / "sigma-rust-lines"
    manifest = _HERE / "sigma_rust" / "Cargo.toml"
    build = ["cargo", "build", "--release", "--locked", "--quiet", "--manifest-path", str(manifest)]
    if (why := _made(program, "cargo", [[*build, "--target-dir", str(target)]])) is not None:
        return Absent("sigma-rust", why)
    what = "Rust library, every rule of the logsource tried; the loop around it is ours"
    return Peer("sigma-rust", SIGMA_RUST, what, lambda rules, events: [str(program), str(rules), str(events)])


def azuma() -> Peer | Absent:
    """packaging: imported by azuma and not named among its dependencies."""
    return _in_python("azuma", AZUMA, "azuma", "packaging")


def sigma_rule_matcher() -> Peer | Absent:
    return _in_python("sigma-rule-matcher", SIGMA_RULE_MATCHER, "sigma_rule_matcher")


def _in_python(name: str, version: str, package: str, *more: str) -> Peer | Absent:
    folder = CACHE / f"{name}-{version}"
    python = folder / "bin" / "python"
    done = folder / ".installed"
    if not done.is_file():
        venv.create(folder, with_pip=True, clear=True)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        f"{name}=={version}",
        *more,
    ]
    if (why := _made(done, sys.executable, [install, ["touch", str(done)]])) is not None:
        return Absent(name, why)
    program = str(_HERE / "in_python.py")
    what = "Python package, every rule of the logsource tried; the loop around it is ours"
    return Peer(name, version, what, lambda rules, events: [str(python), program, package, str(rules), str(events)])


def _made(made: Path, tool: str, commands: Sequence[list[str]]) -> str | None:
    """Runs the commands unless what they make is there; why it could not be made."""
    if made.is_file():
        return None
    if shutil.which(tool) is None:
        return f"{tool} is not installed"
    CACHE.mkdir(parents=True, exist_ok=True)
    print(f"installing into {made} …", file=sys.stderr, flush=True)
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX)
        except subprocess.CalledProcessError as error:
            return f"{' '.join(command[:4])} failed: {error.stderr.strip().splitlines()[-1:]}"
        except subprocess.TimeoutExpired:
            return f"{' '.join(command[:4])} took longer than {INSTALL_SECONDS_MAX} s"
    return None


QUICK: Final = (rsigma,)
SLOW: Final = (sigma_rust, azuma, sigma_rule_matcher)
