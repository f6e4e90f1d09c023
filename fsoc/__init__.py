"""fsoc: a streaming joint-SOC engine for a financial sector."""

__version__ = "0.1.0"
