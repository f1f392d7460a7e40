"""What the command needs of the machine, where a machine is not as usual."""

import atexit
import fcntl
import functools
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO

COMPILED = ("librosa", "resampy")  # packages with functions that numba compiles and keeps


def print_any_name() -> None:
    """Print file names that are no valid text with their bytes as escapes, as ``\\udce9``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@functools.cache
def ensure_numba_cache() -> None:
    """Give numba a temporary directory where it has no place to keep what it compiles.

    It wants to write beside each package or below the user's home, and without either importing
    librosa fails. To be called before that.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    packages = [importlib.util.find_spec(name) for name in COMPILED]
    places = [Path(found.origin).parent for found in packages if found and found.origin]
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    if all(map(_can_hold_cache, places)) or _can_be_made(Path(cache) / "numba"):
        return
    directory = tempfile.mkdtemp(prefix="tagalign-numba-")  # readable by this user alone
    os.environ["NUMBA_CACHE_DIR"] = directory
    maker = os.getpid()

    def remove() -> None:
        if os.getpid() == maker:
            shutil.rmtree(directory, ignore_errors=True)

    atexit.register(remove)


def lock(file: IO, *, wait: bool) -> None:
    """Lock an open file until it is closed; without locks in its file system, go on and say so.

    Raises
    ------
    BlockingIOError
        Another process holds the lock, and `wait` is false.
    """
    try:
        # The kernel drops the lock with the process, so a killed run leaves none behind.
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        # Some network file systems answer so to one who would have waited: theirs have no locks.
        if isinstance(error, BlockingIOError) and not wait:
            raise
        print(
            f"tagalign: {file.name} cannot be locked ({error.strerror}); see that no second run"
            " works with it",
            file=sys.stderr,
        )


def _can_hold_cache(package: Path) -> bool:
    cache = package / "__pycache__"
    return os.access(cache if cache.exists() else package, os.W_OK)


def _can_be_made(directory: Path) -> bool:
    try:
        directory = directory.expanduser()
        directory.mkdir(parents=True, exist_ok=True)  # as numba does
    except (OSError, RuntimeError):  # the second if there is no home
        return False
    return os.access(directory, os.W_OK)
