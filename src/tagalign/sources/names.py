"""Find the file that a table names: inside its folder, however its letters are composed."""

import os
import unicodedata
from pathlib import Path


def leaves(name: str) -> bool:
    """Whether a relative name points out of the folder that it is relative to."""
    return Path(os.path.normpath(name)).parts[:1] == (os.pardir,)


def find_file(root: Path, name: str) -> str | None:
    """The name of a file below `root`, or None if there is none.

    "é" is one letter or an "e" and an accent; a Mac writes the one into file names and the
    other into tables. Either finds the other.

    Raises
    ------
    OSError
        The name is too long, or a folder cannot be read.
    """
    if (root / name).is_file():
        return name
    found = Path()
    for part in Path(name).parts:
        if not (root / found / part).exists():
            folder = root / found
            wanted = unicodedata.normalize("NFC", part)
            there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ()
            same = [name for name in there if unicodedata.normalize("NFC", name) == wanted]
            if not same:
                return None
            part = same[0]
        found /= part
    return str(found) if (root / found).is_file() else None
