"""The fixtures of `tiny_sets`, for the tests of this directory."""

from tiny_sets import run, server, tiny_counts  # noqa: F401
