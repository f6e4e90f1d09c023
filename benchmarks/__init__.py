"""Timings of fsoc, each beside a yardstick measured in the same run. Not part of the package that is installed."""
