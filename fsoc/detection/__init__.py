"""Sigma detection rules over events and tickets: read, compiled, evaluated. Not correlations (fsoc/correlation)."""

from fsoc.detection.detector import Detector, Lines, Match
from fsoc.detection.documents import Document, Source
from fsoc.detection.engine import make_detector
from fsoc.detection.filters import Filter
from fsoc.detection.logsource import Logsource
from fsoc.detection.logsources import LogsourceMap
from fsoc.detection.plain import PlainDetector
from fsoc.detection.rules import LoadedRules, Rule, load_rules

__all__ = [
    "Detector",
    "Document",
    "Filter",
    "Lines",
    "LoadedRules",
    "Logsource",
    "LogsourceMap",
    "Match",
    "PlainDetector",
    "Rule",
    "Source",
    "load_rules",
    "make_detector",
]
