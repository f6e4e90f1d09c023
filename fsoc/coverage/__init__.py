"""Who covers what of the monitoring baseline, drawn on ATT&CK. Pure: what was read is handed in."""
