"""Other Sigma engines on the same lanes, in the same run. Not imported by anything that is installed."""
