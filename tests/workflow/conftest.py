"""Fixtures of the tests that run the workflow."""

from tiny_project import finished_run, fresh, project  # noqa: F401
