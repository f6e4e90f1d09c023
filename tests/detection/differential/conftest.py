"""How hypothesis runs where only the verdict counts: `--hypothesis-profile verdict`, as test_mutations.py does."""

from __future__ import annotations

from hypothesis import Phase, settings

# The same examples every time, and no search for a smaller one.
settings.register_profile("verdict", derandomize=True, phases=[Phase.explicit, Phase.generate], database=None)
