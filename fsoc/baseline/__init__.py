"""The monitoring baseline (資安監控組態基準): what institutions must be able to see, published and proven. Pure."""

from fsoc.baseline.model import THEMES, TIERS, Baseline, Item, Sample, ScriptStep, Trigger

__all__ = ["THEMES", "TIERS", "Baseline", "Item", "Sample", "ScriptStep", "Trigger"]
