"""The SIEMs that rules are published for: which backend converts to each, and what must be put otherwise there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Note = Literal["letter-case", "missing-fields", "time-as-text", "table", "regex-anchored", "backend-warns"]

NOTES: Final[Mapping[Note, tuple[str, str]]] = MappingProxyType(
    {
        "letter-case": (
            "The target compares letter case, Sigma does not: index the fields in lower case, or without regard to it.",
            "目標系統比對大小寫，Sigma 則不分：請以小寫或不分大小寫方式建立索引。",
        ),
        "missing-fields": (
            "There NOT of a missing field is unknown, to Sigma it is true: events without the field are passed over.",
            "目標系統對缺漏欄位取 NOT 之結果為未知，Sigma 則為真：缺該欄位之事件不會命中。",
        ),
        "time-as-text": (
            "A part of a time is taken from its text (RFC 3339): keep the field as text.",
            "時間之一部分取自其文字（RFC 3339）：該欄位須以文字保存。",
        ),
        "table": (
            "Events are expected in a table of this name, with Sigma's field names: choose a mapping or name yours.",
            "預期事件存於此名稱之資料表並使用 Sigma 欄位名稱：請選用欄位對照或自訂。",
        ),
        "regex-anchored": (
            "The target's regular expressions match a whole value: the expression was written anew to find its parts.",
            "目標系統之正規表示式須符合整個值：已改寫為可比對部分內容。",
        ),
        "backend-warns": (
            "pySigma's backend warns of the query; what it says stands in the index of the queries.",
            "pySigma 轉換後端對此查詢提出警告，內容載於查詢目錄之 index.json。",
        ),
    }
)
"""What whoever runs a query must know, in English and Traditional Chinese."""


@dataclass(frozen=True, slots=True)
class Target:
    """A SIEM's language.

    backend: `module:class` of pySigma's. pipelines: modules whose `pipelines` an institution may choose from, by name.
    package: what to install where the backend is missing. suffix: of a query's file.
    regex: how expressions are matched: searched for, or with whole values in RE2's or in Lucene's syntax.
    plain_names: field names must be letters, digits and `_`. booleans_as_text: it has none of its own.
    notes: what is true of every query.
    """

    id: str
    name: str
    backend: str
    package: str
    pipelines: tuple[str, ...]
    suffix: str
    regex: Literal["searched", "whole", "lucene"] = "searched"
    plain_names: bool = False
    booleans_as_text: bool = False
    three_valued: bool = False
    notes: tuple[Note, ...] = ()


_ECS = ("sigma.pipelines.elasticsearch",)

TARGETS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        target.id: target
        for target in (
            Target(
                id="splunk",
                name="Splunk SPL",
                backend="sigma.backends.splunk:SplunkBackend",
                package="pysigma-backend-splunk",
                pipelines=("sigma.pipelines.splunk",),
                suffix=".spl",
                plain_names=True,
            ),
            Target(
                id="elastic-lucene",
                name="Elastic Lucene",
                backend="sigma.backends.elasticsearch:LuceneBackend",
                package="pysigma-backend-elasticsearch",
                pipelines=_ECS,
                suffix=".lucene",
                regex="lucene",
                notes=("letter-case",),
            ),
            Target(
                id="elastic-esql",
                name="Elastic ES|QL",
                backend="sigma.backends.elasticsearch:ESQLBackend",
                package="pysigma-backend-elasticsearch",
                pipelines=_ECS,
                suffix=".esql",
                regex="lucene",
                three_valued=True,
                notes=("letter-case",),
            ),
            Target(
                id="opensearch",
                name="OpenSearch",
                backend="sigma.backends.opensearch:OpensearchLuceneBackend",
                package="pysigma-backend-opensearch",
                pipelines=_ECS,
                suffix=".lucene",
                regex="lucene",
                notes=("letter-case",),
            ),
            Target(
                id="sentinel",
                name="Microsoft Sentinel (Kusto)",
                backend="sigma.backends.kusto:KustoBackend",
                package="pysigma-backend-kusto",
                pipelines=(
                    "sigma.pipelines.sentinelasim",
                    "sigma.pipelines.azuremonitor",
                    "sigma.pipelines.microsoftxdr",
                ),
                suffix=".kql",
                plain_names=True,
            ),
            Target(
                id="qradar",
                name="QRadar AQL",
                backend="sigma.backends.QRadarAQL:QRadarAQLBackend",
                package="pysigma-backend-qradar-community",
                pipelines=("sigma.pipelines.QRadarAQL",),
                suffix=".aql",
                plain_names=True,
                three_valued=True,
                notes=("letter-case",),
            ),
            Target(
                id="loki",
                name="Grafana Loki LogQL",
                backend="sigma.backends.loki:LogQLBackend",
                package="pysigma-backend-loki",
                pipelines=("sigma.pipelines.loki",),
                suffix=".logql",
                plain_names=True,
                regex="whole",
                booleans_as_text=True,
            ),
        )
    }
)
"""By their ids, in the order of every table."""
