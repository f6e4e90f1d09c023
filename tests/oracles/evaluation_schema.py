"""What `fsoc evaluate --json` prints, as JSON Schema."""

from __future__ import annotations

SHARE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["hits", "total", "value", "low", "high"],
    "properties": {
        "hits": {"type": "integer", "minimum": 0},
        "total": {"type": "integer", "minimum": 0},
        "value": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "low": {"type": "number", "minimum": 0, "maximum": 1},
        "high": {"type": "number", "minimum": 0, "maximum": 1},
    },
}
SPREAD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["count", "least", "median", "p90", "most"],
    "properties": {"count": {"type": "integer"}}
    | {name: {"type": ["number", "null"]} for name in ("least", "median", "p90", "most")},
}


def listed(**properties):
    row = {"type": "object", "additionalProperties": False, "required": [*properties], "properties": properties}
    return {"type": "array", "items": row}


TEXT, TEXTS, SECONDS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": ["number", "null"]}
COUNT = {"type": "integer", "minimum": 0}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "schema": {"const": "fsoc.evaluation/1"},
        "precision": SHARE,
        "recall": SHARE,
        "f1": {"type": ["number", "null"]},
        "apart": {"type": "object", "additionalProperties": COUNT},
        "missed": TEXTS,
        "local_labels": TEXTS,
        "tickets_per_alert": SPREAD,
        "after_first_s": SPREAD,
        "after_third_s": SPREAD,
        "after_deciding_s": SPREAD,
        "load": {
            "type": ["object", "null"],
            "required": ["from", "to", "days", "alerts", "alerts_per_day", "stories", "stories_per_day", "by_day"],
        },
        "rules": listed(
            rule_id=TEXT,
            title=TEXT,
            title_zh=TEXT,
            precision=SHARE,
            recall=SHARE,
            f1={"type": ["number", "null"]},
            only=TEXTS,
            retracted=COUNT,
            tickets_per_alert=SPREAD,
            after_first_s=SPREAD,
        ),
        "labels": listed(
            name=TEXT,
            alert_ids=TEXTS,
            rule_ids=TEXTS,
            precision=SHARE,
            recall=SHARE,
            covered=COUNT,
            struck=COUNT,
            after_first_s=SECONDS,
            after_third_s=SECONDS,
            after_deciding_s=SECONDS,
            tickets_per_alert=SPREAD,
        ),
        "false_alarms": listed(
            alert_id=TEXT,
            rule_id=TEXT,
            title=TEXT,
            title_zh=TEXT,
            group={"type": "object", "additionalProperties": TEXT},
            raised_at=TEXT,
            institutions=COUNT,
            tickets=COUNT,
            touched=TEXTS,
        ),
        "notes": listed(en=TEXT, zh=TEXT),
        "comparison": {"type": ["object", "null"], "required": ["changes", "rows"]},
        "curves": listed(
            rule_id=TEXT,
            title=TEXT,
            title_zh=TEXT,
            key=TEXT,
            settings=listed(
                value={},
                stands={"type": "boolean"},
                precision=SHARE,
                recall=SHARE,
                after_first_s=SPREAD,
                all_precision=SHARE,
                all_recall=SHARE,
                all_alerts_per_day=SECONDS,
            ),
        ),
    },
}
SCHEMA["required"] = [*SCHEMA["properties"]]
