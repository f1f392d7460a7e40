"""Fixtures of the tests that take the user's way: the command line and whole runs."""

from tiny_project import finished_run, fresh, project  # noqa: F401
