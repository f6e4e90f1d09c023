"""The Python path over Hyperscan and RE2: what every machine runs that has no native core."""

from fsoc.detection.fast.detector import FastDetector

__all__ = ["FastDetector"]
