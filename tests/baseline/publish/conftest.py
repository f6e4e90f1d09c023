from __future__ import annotations

import pytest

from fsoc.baseline.publish.bundle import bundle
from fsoc.runtime.baseline.publishing import matrix_of, rules_of


@pytest.fixture(scope="session")
def matrix(loaded):
    """Every rule for every target, converted once."""
    return matrix_of(loaded, loaded.baseline.version)


@pytest.fixture(scope="session")
def rules(loaded):
    return rules_of(loaded)


@pytest.fixture(scope="session")
def files(loaded, matrix):
    return bundle(loaded.baseline, matrix, "terms")
