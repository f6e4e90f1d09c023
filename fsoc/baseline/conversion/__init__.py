"""Sigma rules in the languages of SIEMs: what can be said there, what had to be put otherwise, what cannot. Pure."""

from fsoc.baseline.conversion.convert import Converted, NotExpressible, convert
from fsoc.baseline.conversion.targets import TARGETS, Target

__all__ = ["TARGETS", "Converted", "NotExpressible", "Target", "convert"]
