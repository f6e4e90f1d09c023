"""Whether the baseline works: attack scripts played through detection, tickets and joint alerts, and scored. Pure."""
