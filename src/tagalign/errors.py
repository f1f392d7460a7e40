"""Errors that a user can act on: one line with the value, the file and the remedy."""


class TagalignError(Exception):
    """A problem with what the user gave us; the command line prints it without a traceback."""


class ConfigError(TagalignError):
    """A configuration key is unknown, missing, or holds a value that cannot be used."""


class InputError(TagalignError):
    """An input file is missing, unreadable, of another kind, or does not fit the others."""


class TrainingError(TagalignError):
    """Training cannot start or go on: divergence, memory, or a checkpoint of another run."""
