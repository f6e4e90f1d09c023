"""Drills: what is posed to institutions, and how fast they answer. Pure; starts nothing."""
