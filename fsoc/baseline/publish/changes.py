"""What changed from one version of the baseline to the next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_SAID: Final = {
    "title": ("title", "標題"),
    "title_zh": ("title (zh)", "中文標題"),
    "technique": ("technique", "技術"),
    "tactic": ("tactic", "戰術"),
    "why": ("reason", "理由"),
    "why_zh": ("reason (zh)", "中文理由"),
    "themes": ("themes", "主題"),
    "tiers": ("tiers", "適用層級"),
    "sources": ("log sources", "所需日誌"),
    "rules": ("rules", "偵測規則"),
    "references": ("references", "參考規則"),
    "trigger": ("ticket trigger", "事件單觸發規則"),
}


@dataclass(frozen=True, slots=True)
class Changes:
    """Between two contents of `items.json`. changed: by item, the names of what is other. rules: by their names."""

    since: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules_added: tuple[str, ...] = ()
    rules_removed: tuple[str, ...] = ()
    rules_changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.changed, self.rules_added, self.rules_removed, self.rules_changed))


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """What is other in `after`, each a content of items.json."""
    old = {item["id"]: item for item in before["items"]}
    new = {item["id"]: item for item in after["items"]}
    changed = {
        name: other
        for name in sorted(old.keys() & new.keys())
        if (other := tuple(key for key in _SAID if old[name].get(key) != new[name].get(key)))
    }
    were = {rule["name"]: rule["sha256"] for rule in before["rules"]}
    are = {rule["name"]: rule["sha256"] for rule in after["rules"]}
    return Changes(
        since=before["version"],
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=changed,
        rules_added=tuple(sorted(are.keys() - were.keys())),
        rules_removed=tuple(sorted(were.keys() - are.keys())),
        rules_changed=tuple(sorted(name for name in were.keys() & are.keys() if were[name] != are[name])),
    )


def changelog(found: Changes | None, after: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """CHANGELOG.md of a bundle, in English and Traditional Chinese."""
    title = f"# Changes 變更紀錄 {after['version']}"
    if found is None or before is None:
        return f"{title}\n\nNo version before it was given. 未指定前一版本。\n"
    items = {item["id"]: item for item in (*before["items"], *after["items"])}
    parts = [title, "", f"Since {found.since}. 相較於 {found.since}。"]
    if not found:
        parts += ["", "Nothing changed. 無變更。"]

    def listed(heading: str, lines: list[str]) -> None:
        if lines:
            parts.extend(["", f"## {heading}", "", *lines])

    def named(name: str) -> str:
        return f"- {name} {items[name]['title']} · {items[name]['title_zh']} ({items[name]['technique']})"

    listed("Items added 新增項目", [named(name) for name in found.added])
    listed("Items removed 移除項目", [named(name) for name in found.removed])
    listed(
        "Items changed 變更項目",
        [
            f"{named(name)}: {', '.join(_SAID[key][0] for key in keys)} · {'、'.join(_SAID[key][1] for key in keys)}"
            for name, keys in found.changed.items()
        ],
    )
    listed("Rules added 新增規則", [f"- `{name}`" for name in found.rules_added])
    listed("Rules removed 移除規則", [f"- `{name}`" for name in found.rules_removed])
    listed("Rules changed 變更規則", [f"- `{name}`" for name in found.rules_changed])
    return "\n".join(parts) + "\n"
