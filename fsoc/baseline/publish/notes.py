"""Release notes in English and in Traditional Chinese: what is in a version, what to do with it. Pure text."""

from __future__ import annotations

from collections import Counter
from typing import Final

from fsoc.baseline.conversion.targets import NOTES, TARGETS
from fsoc.baseline.model import TIERS, Baseline, Item
from fsoc.baseline.publish.changes import Changes
from fsoc.baseline.publish.matrix import Matrix

LANGUAGES: Final = ("en", "zh-TW")

_WORDS: Final = {
    "title": ("Monitoring baseline {}", "資安監控組態基準 {}"),
    "summary": (
        "{items} items over {tactics} tactics of ATT&CK {attack}, by {rules} detections.",
        "共 {items} 項，涵蓋 ATT&CK {attack} 之 {tactics} 種戰術，由 {rules} 條偵測規則支援。",
    ),
    "changed": (
        "Since {since}: {added} items added, {changed} changed, {removed} removed; {rules} rules new or other.",
        "相較於 {since}：新增 {added} 項、變更 {changed} 項、移除 {removed} 項；新增或變更規則 {rules} 條。",
    ),
    "tiers": ("Who must have what", "適用層級"),
    "tier": ("Tier {}: {} items", "第 {} 級機構：{} 項"),
    "adopt": ("How to adopt it", "導入步驟"),
    "targets": ("Queries", "各 SIEM 查詢"),
    "of": ("{}: {} of {} rules", "{}：{}／{} 條規則"),
    "notes": ("Notes", "注意事項"),
    "items": ("Items", "項目"),
    "trigger": (
        "Ticket at {count} within {within}{per}, severity {severity} or more, {category}",
        "{within}內達 {count} 次{per}即開立事件單，嚴重度 {severity} 以上，{category}",
    ),
    "per": (" per `{}`", "（依 `{}`）"),
}
_STEPS: Final = (
    (
        "Verify the bundle: `fsoc baseline verify DIR --key joint-soc.pub.jwk`.",
        "Take the queries of your SIEM from `queries/`; read the notes below and those of `matrix.html`.",
        "Open a ticket as `trigger` of each item says, and name the item as its trigger: {trigger}.",
        'State `baseline_version: "{version}"` in heartbeats once all items of your tier are in place.',
    ),
    (
        "驗證套件：`fsoc baseline verify DIR --key joint-soc.pub.jwk`。",
        "自 `queries/` 取用貴機構 SIEM 之查詢，並詳閱下列注意事項與 `matrix.html`。",
        "依各項 `trigger` 所載條件開立事件單，並於觸發來源載明項目：{trigger}。",
        '所屬層級各項均已建置後，於監控設備狀況單載明 `baseline_version: "{version}"`。',
    ),
)
_TRIGGER: Final = '`{{"kind": "baseline", "baseline_version": "{}", "rule_id": "FB-…"}}`'


def release_notes(baseline: Baseline, matrix: Matrix, found: Changes | None, language: str) -> str:
    """RELEASE.en.md or RELEASE.zh-TW.md."""
    at = LANGUAGES.index(language)

    def word(name: str, *values: object, **named: object) -> str:
        return _WORDS[name][at].format(*values, **named)

    items = list(baseline.items.values())
    tactics = Counter(item.tactic for item in items)
    parts = [
        f"# {word('title', baseline.version)}",
        "",
        word("summary", items=len(items), tactics=len(tactics), attack=baseline.attack_version, rules=len(matrix.rows)),
    ]
    if found is not None:
        rules = len(found.rules_added) + len(found.rules_changed)
        counts = {name: len(getattr(found, name)) for name in ("added", "changed", "removed")}
        parts += ["", word("changed", since=found.since, rules=rules, **counts)]
    parts += ["", f"## {word('tiers')}", ""]
    parts += [f"- {word('tier', tier, len(baseline.of_tier(tier)))}" for tier in TIERS]
    named = _TRIGGER.format(baseline.version)
    steps = [step.format(version=baseline.version, trigger=named) for step in _STEPS[at]]
    parts += ["", f"## {word('adopt')}", "", *(f"{number}. {step}" for number, step in enumerate(steps, 1))]
    parts += ["", f"## {word('targets')}", ""]
    for profile in matrix.profiles:
        name = TARGETS[profile.target].name + (f" ({profile.mapping})" if profile.mapping else "")
        parts.append(f"- {word('of', name, *matrix.share(profile.name))}")
    parts += ["", f"## {word('notes')}", "", *(f"- **{note}**: {said[at]}" for note, said in NOTES.items())]
    parts += ["", f"## {word('items')}"]
    for tactic in tactics:
        parts += ["", f"### {tactic}", ""]
        parts += [line for item in items if item.tactic == tactic for line in _item(item, at)]
    return "\n".join(parts) + "\n"


def _item(item: Item, at: int) -> list[str]:
    trigger = item.trigger
    per = _WORDS["per"][at].format(trigger.per) if trigger.per else ""
    within = f"{trigger.within_ms // 60_000} min" if at == 0 else f"{trigger.within_ms // 60_000} 分鐘"
    when = _WORDS["trigger"][at].format(
        count=trigger.count, within=within, per=per, severity=trigger.severity, category=f"`{trigger.category}`"
    )
    title, why = (item.title, item.why) if at == 0 else (item.title_zh, item.why_zh)
    tiers = ", ".join(map(str, item.tiers))
    return [
        f"- **{item.id}** {title} ({item.technique}; {'tiers' if at == 0 else '層級'} {tiers})  ",
        f"  {why}  ",
        f"  {when}",
    ]
