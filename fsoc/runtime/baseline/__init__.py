"""The monitoring baseline on disk: its items, rules, scripts and bundles. Decides nothing; fsoc/baseline does."""
