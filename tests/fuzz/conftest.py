"""Fuzzing of every boundary: some seconds each, or as long as ``TAGALIGN_FUZZ`` says.

    TAGALIGN_FUZZ=100000 python -m pytest tests/fuzz

gives the number of cases of each test; they are then other ones each time.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

LONG = int(os.environ.get("TAGALIGN_FUZZ", "0"))

settings.register_profile(
    "tagalign",
    max_examples=LONG or 100,
    derandomize=not LONG,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


# Decorators read it, so it must be there when the tests are collected.
settings.load_profile("tagalign")


@pytest.fixture(scope="session")
def cases():
    """Cases of a test that counts them itself: `LONG`, or a few; and the seed of the first."""
    return LONG or 150, int.from_bytes(os.urandom(4), "big") if LONG else 0
