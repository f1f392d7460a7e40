"""SHA-256 of many or large files, without reading those that did not change."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tagalign import store
from tagalign.errors import TagalignError
from tagalign.progress import Progress


def digest_files(paths: Sequence[str], memory: str | os.PathLike) -> dict[str, str]:
    """SHA-256 of each file, read only if it differs from what is remembered.

    Parameters
    ----------
    paths
        The files.
    memory
        JSON file that is kept up to date: path -> size in bytes, times of the last change of
        contents and of status in ns, SHA-256.

    Returns
    -------
    dict
        Path -> 64 hexadecimal digits.

    Raises
    ------
    OSError
        A file is missing or cannot be read.
    """
    known = _remembered(memory)
    stamps = {path: _stamp(Path(path)) for path in paths}
    new = [path for path, stamp in stamps.items() if known.get(path, [])[:-1] != stamp]
    if new:
        with Progress("read new and changed files", len(new), unit="files") as progress:
            for path in new:
                known[path] = [*stamps[path], store.digest(path)]
                progress.update()
        # Where it cannot be written, the next time takes longer; that is all.
        with contextlib.suppress(TagalignError), store.replacing(memory) as part:
            part.write_text(json.dumps(known))
    return {path: known[path][-1] for path in paths}


def digest_tree(root: str | os.PathLike, files: Iterable[str], memory: str | os.PathLike) -> str:
    """SHA-256 over the names and contents of some files below `root`, wherever that lies.

    Parameters
    ----------
    root
        Directory to which the files are relative.
    files
        The files, in any order; repetitions count once.
    memory
        As for `digest_files`.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        As for `digest_files`.
    """
    paths = {file: str(Path(root) / file) for file in sorted(set(files))}
    known = digest_files(list(paths.values()), memory)
    contents = [(file, known[path]) for file, path in paths.items()]
    return hashlib.sha256(store.canonical(contents).encode()).hexdigest()


def _remembered(memory: str | os.PathLike) -> dict[str, list]:
    try:
        known = json.loads(Path(memory).read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {path: entry for path, entry in known.items() if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    """Whether it is a stamp and a SHA-256, not what a fault left in the file."""
    return (
        isinstance(entry, list)
        and len(entry) == 4
        and isinstance(entry[3], str)
        and re.fullmatch("[0-9a-f]{64}", entry[3]) is not None
    )


def _stamp(path: Path) -> list[int]:
    # Whoever copies a file over another one may copy its times along, but not that of the
    # change of status.
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
