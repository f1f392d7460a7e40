"""Errors that a user can act on: one line with the value, the file and the remedy."""

import importlib
import os
import unicodedata
from types import ModuleType


class TagalignError(Exception):
    """A problem with what the user gave us; the command line prints it without a traceback."""


class ConfigError(TagalignError):
    """A configuration key is unknown, missing, or holds a value that cannot be used."""


class InputError(TagalignError):
    """An input file is missing, unreadable, of another kind, or does not fit the others."""


class TrainingError(TagalignError):
    """Training cannot start or go on: divergence, memory, or a checkpoint of another run."""


class MissingPackageError(TagalignError):
    """A package of one of the extras is needed and not installed."""


def import_extra(module: str, extra: str) -> ModuleType:
    """Import a module that comes with an extra of this package, such as ``tagalign[reference]``.

    Raises
    ------
    MissingPackageError
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"the package {error.name} is not installed; it comes with: pip install"
            f" 'tagalign[{extra}]'"
        ) from None


class AudioError(InputError):
    """A sound that cannot be used.

    Attributes
    ----------
    reason : str
        Why, without the name of the file, for the tables of failures.
    """

    def __init__(self, reason: str, path: str | os.PathLike | None = None):
        super().__init__(reason if path is None else f"{path}: {reason}")
        self.reason = reason


def plain(text: str) -> str:
    """Text of strangers without what a terminal would obey.

    Control characters, line breaks and marks that turn the direction of writing are shown as
    codes, so that an escape sequence reads "\\x1b[2J".
    """
    hidden = ("Cc", "Cf", "Zl", "Zp")
    return "".join(
        ascii(letter)[1:-1] if unicodedata.category(letter) in hidden else letter for letter in text
    )
