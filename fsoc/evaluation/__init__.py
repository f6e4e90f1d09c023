"""Alerts against labelled tickets: precision, recall, times, load, and what other thresholds would do. Pure."""
