"""An assessment as Markdown, English and Traditional Chinese beside each other. Pure text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fsoc.baseline.assess.report import STAGES, Against, Assessment, missed

STAGES_ZH: Final = {"detected": "偵測", "ticketed": "開單", "joined": "聯防關聯"}


def markdown_of(found: Assessment, against: Against | None = None) -> str:
    """The whole report."""
    verdict = "passes 通過" if found.passes else "FAILS 未通過"
    lines = [
        f"# Effectiveness of the baseline {found.baseline} 監控基準有效性評估",
        "",
        f"- Institution 機構: `{found.assessed}`",
        f"- Score 分數: **{_share(found.total)}**, floor 門檻 {_share(found.floor)}: **{verdict}**",
    ]
    for stage in STAGES:
        reached, asked = found.reached(stage)
        lines.append(f"- {stage.capitalize()} {STAGES_ZH[stage]}: {reached}/{asked}")
    if against is not None:
        lines += ["", "## Against the last assessment 與前次比較", "", *_against(found, against)]
    lines += ["", "## Missed 未達成項目", ""]
    gone = missed(found.judged)
    for one, stage, outcome in gone:
        what = f"`{one.script}/{one.step}` {_cell(one.title)} · {_cell(one.title_zh)}"
        why = f" {outcome.why}" if outcome.why else ""
        lines.append(f"- {what} @ `{one.institution}` ({one.technique}): not {stage} 未{STAGES_ZH[stage]};{why}")
    if not gone:
        lines.append("Nothing. 無。")
    for what, heading in (
        ("script", "By script 依劇本"),
        ("tactic", "By tactic 依戰術"),
        ("technique", "By technique 依技術"),
        ("institution", "By institution 依機構"),
    ):
        lines += ["", f"## {heading}", "", *_table(found.by(what))]
    lines += ["", "## By step 依步驟", "", *_table(found.steps())]
    return "\n".join(lines) + "\n"


def _against(found: Assessment, against: Against) -> Iterator[str]:
    yield f"Score 分數 {_share(against.total_before)} → {_share(found.total)}"
    yield ""
    for name, (before, now) in {**against.worse, **against.better}.items():
        said = "worse 退步" if now < before else "better 進步"
        yield f"- `{name}`: {_share(before)} → {_share(now)} {said}"
    for name in against.new:
        yield f"- `{name}`: new 新增"
    for name in against.gone:
        yield f"- `{name}`: gone 移除"
    if not (against.worse or against.better or against.new or against.gone):
        yield "No step differs. 各步驟均無變化。"


def _table(scores: Mapping[str, float]) -> Iterator[str]:
    yield "| | score 分數 |"
    yield "|---|---|"
    for name, score in scores.items():
        yield f"| `{name or '—'}` | {_share(score)} |"


def _share(score: float) -> str:
    return f"{100 * score:.1f} %"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
