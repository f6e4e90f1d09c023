"""The tables of the manual, from the figures that were kept, as Markdown. Measures nothing.

python -m benchmarks.tables         results/{equality,detect,peers}.json → standard output
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import report

Figures = Mapping[str, Any]

MANUAL: Final = Path(__file__).with_name("README.md")


def equality(checked: Figures) -> str:
    """As many events as were compared, three times each."""
    rows = (
        (f"`{name}`", f"{each['events']:,}", f"{each['matches']:,}", f"{each['different']:,}")
        for name, each in checked.items()
    )
    return _table(("stream", "events", "matches", "events that differ"), rows)


def lanes(detect: Figures) -> str:
    heads = ("lane", "bytes", "events/CPU-s", "orjson.loads/CPU-s", "ratio", "ratio, cold", "matches")
    return _table(
        heads,
        (
            (
                f"`{row['lane']}`",
                f"{row['bytes_per_event']:,}",
                f"{row['events_per_second']:,.0f}",
                f"{row['orjson_per_second']:,.0f}",
                f"{row['ratio']:.2f}",
                f"{row['cold_ratio']:.2f}",
                f"{row['matches']:,}",
            )
            for row in detect["lanes"]
        ),
    )


def rules(detect: Figures) -> str:
    """The last column: what an event costs with the most rules, over what it costs with the fewest."""
    counts = sorted({row["rules"] for row in detect["by_rules"]})
    rows = (
        (f"`{lane}`", *(f"{ratio:.2f}" for ratio in ratios), f"{ratios[0] / ratios[-1]:.2f} ×")
        for lane, ratios in _by_lane(detect["by_rules"], "rules")
    )
    return _table(("ratio with so many rules", *(f"{count:,}" for count in counts), "costs"), rows)


def novelty(detect: Figures) -> str:
    shares = sorted({row["novelty"] for row in detect["by_novelty"]})
    rows = (
        (f"`{lane}`", *(f"{ratio:.2f}" for ratio in ratios))
        for lane, ratios in _by_lane(detect["by_novelty"], "novelty")
    )
    return _table(("ratio with so many events novel", *(f"{share:.0%}" for share in shares)), rows)


def peers(figures: Figures) -> str:
    """Our detector in this process, new at the start of each round; rsigma as a command, net of its start."""
    rows = (
        (
            f"`{row['lane']}`",
            f"{row['events']:,}",
            f"{row['in_process_per_second']:,.0f}",
            f"{rsigma['events_per_second']:,.0f}",
            f"{rsigma['fsoc_over_it']:.1f} ×",
            f"{min(rsigma['ratios']):.1f} – {max(rsigma['ratios']):.1f}",
            f"{row['orjson_per_second']:,.0f}",
        )
        for row in figures["lanes"]
        for rsigma in [row["by_engine"]["rsigma"]]
    )
    return _table(("lane", "events", "fsoc", "rsigma", "fsoc is", "by round", "orjson.loads"), rows)


def agreement(figures: Figures) -> str:
    heads = ("lane", "events", "matches of fsoc", "of rsigma", "fsoc's alone", "rsigma's alone")
    rows = (
        (
            f"`{row['lane']}`",
            *(f"{number:,}" for number in (row["events"], row["ours"], row["theirs"])),
            f"{sum(row['only_ours'].values()):,}",
            f"{sum(row['only_theirs'].values()):,}",
        )
        for row in figures["agreement"]
    )
    return _table(heads, rows)


def reasons(figures: Figures) -> str:
    alone = {"fsoc": Counter[str](), "rsigma": Counter[str]()}
    for row in figures["agreement"]:
        alone["fsoc"].update(row["only_ours"])
        alone["rsigma"].update(row["only_theirs"])
    rows = ((who, f"{count:,}", why) for who, counts in alone.items() for why, count in counts.most_common())
    return _table(("found by", "matches", "why the other does not"), rows)


def slow(figures: Figures) -> str:
    what = {peer["name"]: f"{peer['name']} {peer['version']}: {peer['what']}" for peer in figures["peers"]}
    rows = (
        (what[row["engine"]], f"{row['events_per_second']:,.0f}", f"{row['start_seconds']:.1f} s", row["loaded"])
        for row in figures["slow"]
    )
    return _table(("peer", "events/CPU-s", "to start", "loads"), rows)


def absent(figures: Figures) -> str:
    return _table(("not run", "why"), ((each["name"], each["reason"]) for each in figures["absent"]))


def every(checked: Figures, detect: Figures, of_peers: Figures) -> Iterator[str]:
    """All tables, in the manual's order."""
    yield equality(checked)
    yield from (table(detect) for table in (lanes, rules, novelty))
    yield from (table(of_peers) for table in (peers, agreement, reasons, slow, absent))


def kept() -> list[Figures]:
    """The figures of results/equality.json, detect.json and peers.json."""
    files = (report.RESULTS / f"{name}.json" for name in ("equality", "detect", "peers"))
    return [json.loads(file.read_text(encoding="utf-8"))["figures"] for file in files]


def _by_lane(rows: Sequence[Figures], over: str) -> Iterator[tuple[str, list[float]]]:
    for lane in dict.fromkeys(row["lane"] for row in rows):
        yield lane, [row["ratio"] for row in sorted(rows, key=lambda row: row[over]) if row["lane"] == lane]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def put(manual: str, table: str) -> str:
    """The manual with this table in place of the one of the same heads.

    Raises:
        ValueError: no table of the manual has these heads.
    """
    heads = table.partition("\n")[0]
    before, found, after = manual.partition(heads + "\n")
    if not found:
        raise ValueError(f"no table in the manual begins with {heads}")
    return f"{before}{table}\n\n{after.partition(chr(10) * 2)[2]}"


def main() -> None:
    manual = MANUAL.read_text(encoding="utf-8")
    for table in every(*kept()):
        manual = put(manual, table)
    MANUAL.write_text(manual, encoding="utf-8")


if __name__ == "__main__":
    main()
