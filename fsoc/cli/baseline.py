"""`fsoc baseline list|build|verify|matrix|seed`: the monitoring baseline, read and published."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Final

import click
import orjson

from fsoc.baseline.conversion.targets import TARGETS
from fsoc.baseline.model import THEMES, TIERS
from fsoc.baseline.publish.bundle import SIGNATURE, bundle
from fsoc.baseline.publish.matrix import Matrix, Published, unlike
from fsoc.baseline.publish.profiles import Profiles
from fsoc.baseline.publish.tables import csv_of, html_of, json_of, markdown_of
from fsoc.baseline.publish.verify import TYPE, payload
from fsoc.baseline.publish.verify import verify as verified
from fsoc.baseline.read import is_version
from fsoc.cli.baseline_shown import items_shown, shares_shown, verdict_shown
from fsoc.cli.printable import printable
from fsoc.cli.progress import ProgressLine
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.signing import key_of_jwk
from fsoc.runtime.baseline.bundles import items_before, read_bundle, write_bundle
from fsoc.runtime.baseline.load import Loaded, load_baseline
from fsoc.runtime.baseline.publishing import as_version, matrix_of, notice, profiles_of
from fsoc.runtime.content import read_source

_path: Final = click.Path(path_type=Path)
_BASELINE: Final = click.option(
    "--baseline", type=_path, metavar="DIR", help="Default: what comes with fsoc. 基準目錄。"
)
_RULES: Final = click.option("--rules", type=_path, multiple=True, metavar="DIR", help="Its detections. Default: ours.")
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout. 以 JSON 輸出。")
_MAPPINGS: Final = click.option("--mappings", type=_path, metavar="FILE", help="Who has which SIEM and field names.")
_INSTITUTIONS: Final = click.option(
    "--institutions", type=_path, metavar="FILE", help="The registry, to check it against."
)
_TARGETS: Final = click.option(
    "--target", "targets", type=click.Choice(list(TARGETS)), multiple=True, help="Only these SIEMs; more than once."
)
_FORMS: Final = {"csv": csv_of, "json": json_of, "markdown": markdown_of, "html": html_of}


@click.group("baseline", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """The monitoring baseline (資安監控組態基準): what institutions must be able to see.

    \b
    列示、發布與驗證資安監控組態基準。

    \b
    fsoc check baseline    checks it; its items and rules are files
    """


@command.command("list")
@_BASELINE
@click.option("--tier", type=click.IntRange(min(TIERS), max(TIERS)), help="Only what this tier must have. 適用層級。")
@click.option("--theme", type=click.Choice(THEMES), help="Only what is for this. 主題。")
@_JSON
def list_command(baseline: Path | None, tier: int | None, theme: str | None, as_json: bool) -> None:
    """List its items: by tier, by theme.

    \b
    Examples:
      fsoc baseline list --tier 3
      fsoc baseline list --theme swift --json | jq -r '.items[].technique'
    """
    loaded = load_baseline(baseline)
    items = [
        item
        for item in loaded.baseline.items.values()
        if (tier is None or tier in item.tiers) and (theme is None or theme in item.themes)
    ]
    if as_json:
        told = [
            {"id": item.id, "title": item.title, "title_zh": item.title_zh, "technique": item.technique,
             "tactic": item.tactic, "tiers": item.tiers, "themes": item.themes, "rules": item.rules}
            for item in items
        ]  # fmt: skip
        click.echo(orjson.dumps({"version": loaded.baseline.version, "items": told}))
        return
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in items_shown(items, room):
        click.echo(line)
    click.echo(f"baseline {loaded.baseline.version}: {len(items)} items", err=True)


@command.command("build")
@click.argument("version", metavar="VERSION")
@click.option("--out", type=_path, metavar="DIR", help="Where to; must not be there yet. Default: baseline-VERSION.")
@click.option(
    "--sign-with", type=_path, metavar="KEY", help="Private JWK (Ed25519); fsoc institution key make. 簽署私鑰。"
)
@click.option("--since", type=_path, metavar="DIR", help="Bundle of the version before, for the changelog. 前一版本。")
@_TARGETS
@_MAPPINGS
@_INSTITUTIONS
@_BASELINE
@_RULES
@_JSON
def build_command(
    version: str,
    out: Path | None,
    sign_with: Path | None,
    since: Path | None,
    targets: tuple[str, ...],
    mappings: Path | None,
    institutions: Path | None,
    baseline: Path | None,
    rules: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Publish a version: Sigma and queries for each SIEM, support matrix, changelog, release notes; digests, signature.

    Equal content gives equal bytes. Which institution has which SIEM is told here and stands in no file of the bundle.

    \b
    發布新版基準：Sigma 規則、各 SIEM 查詢、支援矩陣、變更紀錄與中英文發行說明，附摘要與簽章。

    \b
    Examples:
      fsoc baseline build 2026.4 --out dist/2026.4 --sign-with joint-soc.jwk
      fsoc baseline build 2026.5 --since dist/2026.4 --mappings siems.yml --institutions institutions.yml
    """
    if not is_version(version):
        raise RefusedToStart(
            Problem("VERSION", f"found {version[:40]!r}, expected a year and a number, such as 2026.4")
        )
    before = items_before(since) if since else None
    loaded = load_baseline(baseline, rules)
    profiles = profiles_of(mappings, institutions).of(targets)
    matrix = _matrix(loaded, version, profiles)
    files = bundle(as_version(loaded.baseline, version), matrix, notice(), before)
    if sign_with is not None:
        from fsoc.client.signing import Signer

        files[SIGNATURE] = (
            Signer.from_file(sign_with).jws(payload(files["manifest.json"], version), TYPE).encode() + b"\n"
        )
    folder = out or Path(f"baseline-{version}")
    write_bundle(folder, files)
    _tell_built(folder, matrix, profiles, len(files), signed=sign_with is not None, as_json=as_json)


def _tell_built(folder: Path, matrix: Matrix, profiles: Profiles, files: int, *, signed: bool, as_json: bool) -> None:
    chosen = {name: profile.name for name, profile in profiles.chosen.items()}
    if as_json:
        counts = {profile.name: matrix.counts(profile.name) for profile in matrix.profiles}
        told = {"folder": str(folder), "version": matrix.version, "files": files, "signed": signed}
        click.echo(orjson.dumps({**told, "profiles": counts, "institutions": chosen}))
        return
    _tell_shares(matrix)
    for name, profile in chosen.items():
        click.echo(f"{name}: queries/{profile}/")
    click.echo(f"{folder}: baseline {matrix.version}, {files} files, {'signed' if signed else 'not signed'}")


@command.command("verify")
@click.argument("folder", type=_path, metavar="DIR")
@click.option(
    "--key", "key_file", type=_path, metavar="FILE", help="Public JWK that must have signed it. 應為簽署者之公鑰。"
)
@click.option("--sigma", is_flag=True, help="Have `sigma check` look at its rules too, without a network.")
@_JSON
def verify_command(folder: Path, key_file: Path | None, sigma: bool, as_json: bool) -> None:
    """Verify a bundle: every file against its digest, and who signed it. Exit code 1 where anything is wrong.

    \b
    驗證基準套件：逐檔核對摘要並驗證簽章；有誤時結束代碼為 1。

    \b
    Examples:
      fsoc baseline verify dist/2026.4 --key joint-soc.pub.jwk
      fsoc baseline verify dist/2026.4 --sigma --json
    """
    key = None
    if key_file is not None:
        source = read_source(key_file)
        key = key_of_jwk(source.text, source.path)
    verdict = verified(read_bundle(folder), key)
    problems = list(verdict.problems)
    if sigma:
        from fsoc.runtime.baseline.sigma_cli import check

        done = check(folder / "rules")
        if done.code:
            problems.append(Problem("sigma check", re.sub(r"\s+", " ", done.output)[-500:]))
    if as_json:
        told = {"version": verdict.version, "files": verdict.files, "signed_by": verdict.signed_by,
                "believed": verdict.believed}  # fmt: skip
        click.echo(orjson.dumps({**told, "problems": [{"where": one.where, "text": one.text} for one in problems]}))
    else:
        for problem in problems:
            click.echo(printable(str(problem)))
        click.echo(verdict_shown(verdict))
    if problems:
        sys.exit(1)


@command.command("matrix")
@click.option("--format", "form", type=click.Choice(list(_FORMS)), default="markdown", help="Default: markdown.")
@click.option("--check", "committed", type=_path, metavar="FILE", help="Compare with a matrix written down as CSV.")
@_TARGETS
@_MAPPINGS
@_INSTITUTIONS
@_BASELINE
@_RULES
def matrix_command(
    form: str,
    committed: Path | None,
    targets: tuple[str, ...],
    mappings: Path | None,
    institutions: Path | None,
    baseline: Path | None,
    rules: tuple[Path, ...],
) -> None:
    """What became of each rule in each SIEM's language: converted, hand-written, not expressible and why.

    With --check: every cell that is other than in FILE, and exit code 1 where there is one.

    \b
    Examples:
      fsoc baseline matrix --format html > matrix.html
      fsoc baseline matrix --check baseline/matrix.csv
      fsoc baseline matrix --format csv > baseline/matrix.csv      after it was looked at
    """
    loaded = load_baseline(baseline, rules)
    before = read_source(committed).text if committed else None
    matrix = _matrix(loaded, loaded.baseline.version, profiles_of(mappings, institutions).of(targets))
    if before is None:
        click.echo(_FORMS[form](matrix), nl=False)
        return
    problems = unlike(matrix, before)
    for problem in problems:
        click.echo(printable(f"{committed}: {problem}"))
    _tell_shares(matrix)
    if problems:
        sys.exit(1)


@command.command("seed")
@click.option("--home", type=_path, metavar="DIR", help="Home folder whose cache is written. Default: yours.")
def seed_command(home: Path | None) -> None:
    """Put our ATT&CK table where sigma-cli looks, so that `sigma check` downloads nothing.

    \b
    Example:
      fsoc baseline seed && sigma check baseline-2026.4/rules
    """
    from fsoc.runtime.baseline.sigma_cli import CACHE, seed

    place = home or Path.home()
    version = seed(place)
    click.echo(f"{place / CACHE}: ATT&CK {version}")


def _matrix(loaded: Loaded, version: str, profiles: Profiles) -> Matrix:
    progress = ProgressLine()
    done = 0

    def tell(rule: Published) -> None:
        nonlocal done
        done += 1
        progress.show(lambda: f"converted {done} of {len(loaded.baseline.rules)} rules: {rule.name}")

    matrix = matrix_of(loaded, version, profiles, tell)
    progress.clear()
    return matrix


def _tell_shares(matrix: Matrix) -> None:
    for line in shares_shown(matrix):
        click.echo(line)
