"""Whether sounds and other large files changed, without reading them all each time."""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tagalign import store
from tagalign.audio.folder import read_folder
from tagalign.errors import TagalignError
from tagalign.progress import Progress


def digest_sounds(source: Mapping, memory: str | os.PathLike) -> str:
    """SHA-256 over the names and contents of the sounds of a folder, as hexadecimal digits.

    Parameters
    ----------
    source
        The section `source` of the configuration, of kind ``folder``.
    memory
        JSON file that is kept up to date: path -> size in bytes, times of the last change of
        contents and of status in ns, SHA-256. Only sounds that differ from it are read.

    Returns
    -------
    str
        Empty if the sounds cannot be listed or read; `write_folder` says why.
    """
    audio = Path(source["folder"]["audio"] or "")
    try:
        files = sorted({sound.file for sound in read_folder(source)[0] if sound.file})
        known = digest_files([str(audio / file) for file in files], memory)
    except (TagalignError, OSError):
        return ""
    contents = [(file, known[str(audio / file)]) for file in files]
    return hashlib.sha256(store.canonical(contents).encode()).hexdigest()


def digest_files(paths: Sequence[str], memory: str | os.PathLike) -> dict[str, str]:
    """SHA-256 of each file, read again only if it differs from what `memory` knows of it.

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


def _remembered(memory: str | os.PathLike) -> dict[str, list]:
    try:
        return json.loads(Path(memory).read_text())
    except (OSError, ValueError):
        return {}


def _stamp(path: Path) -> list[int]:
    # Whoever copies a sound over another one may copy its times along, but not that of the
    # change of status.
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
