"""The journal of a source: an SQLite file that survives a stop at any moment.

It remembers which shard each sound was dealt into, for every source, and how far the walk
through Freesound has come. It is kept beside the downloads and is no output of a stage, so a
rerun of a stage never forgets what was fetched or moves a sound to another shard.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from tagalign.errors import InputError

FILE = "journal.sqlite"
LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL", "SQLITE_IOERR_LOCK")


@contextlib.contextmanager
def open_journal(directory: str | os.PathLike | None) -> Iterator[sqlite3.Connection]:
    """Open the journal in `directory`, or one in memory if there is no directory.

    Statements take effect one by one; ``with connection:`` does not group them, use
    `transaction`.

    Raises
    ------
    InputError
        Another process works with this journal, or it cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        if directory is None:
            name = ":memory:"
        else:
            stack.enter_context(sole_use(Path(directory)))
            name = Path(directory) / FILE
        journal = stack.enter_context(open_database(name))
        journal.execute("CREATE TABLE IF NOT EXISTS shard (id TEXT PRIMARY KEY, shard INTEGER)")
        yield journal


@contextlib.contextmanager
def open_database(name: str | os.PathLike) -> Iterator[sqlite3.Connection]:
    """Open an SQLite file so that it survives a kill at any moment, without waiting for the disk.

    After a power failure it lacks the last transactions, but is whole. The exclusive mode
    needs no memory shared between processes, so this works on network file systems as well.

    Raises
    ------
    InputError
        It is no database, another program has it open, or the disk is full; also for errors
        while it is open.
    """
    try:
        with contextlib.closing(sqlite3.connect(name, isolation_level=None)) as database:
            for setting in (
                "locking_mode = EXCLUSIVE",
                "journal_mode = WAL",
                "synchronous = NORMAL",
            ):
                database.execute(f"PRAGMA {setting}")
            yield database
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "").startswith(LOCKED):
            raise InputError(
                f"the journal {name} cannot be locked ({error}): another program has it open, or"
                " its file system has no locks; end the one, or keep it on another file system"
            ) from None
        raise InputError(
            f"the journal {name} cannot be used ({error}); see that the disk has room and that no"
            " other program has it open; if it is damaged, move it away to start anew"
        ) from None


@contextlib.contextmanager
def transaction(journal: sqlite3.Connection) -> Iterator[None]:
    """Group statements: all of them take effect, or none."""
    journal.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        journal.execute("ROLLBACK")
        raise
    journal.execute("COMMIT")


def deal(journal: sqlite3.Connection, ids: Iterable[str], size: int) -> None:
    """Deal sounds that have no shard yet into new shards of `size`, in the order of `ids`.

    Sounds that were dealt before keep their shard, so a shard once full never changes when
    the source grows; the last shard is not filled up either, since its file may exist.
    """
    with transaction(journal):
        (last,) = journal.execute("SELECT max(shard) FROM shard").fetchone()
        shard, room = (-1 if last is None else last), 0
        for identifier in ids:
            if shard_of(journal, identifier) is not None:
                continue
            if not room:
                shard, room = shard + 1, size
            journal.execute("INSERT INTO shard VALUES (?, ?)", (identifier, shard))
            room -= 1


def forget_others(journal: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Begin with shard 0 again if none of `ids` was ever dealt: this is another source.

    Raises
    ------
    InputError
        The journal is that of a walk through Freesound.
    """
    tables = {name for (name,) in journal.execute("SELECT name FROM sqlite_master")}
    if "request" in tables:
        raise InputError(
            "the journal remembers what was fetched from Freesound; give a folder of sounds another"
            " --journal, or in a configuration another source.name"
        )
    if all(shard_of(journal, identifier) is None for identifier in ids):
        journal.execute("DELETE FROM shard")


def shard_of(journal: sqlite3.Connection, identifier: str) -> int | None:
    """Shard of a sound, or None if it was not dealt yet."""
    row = journal.execute("SELECT shard FROM shard WHERE id = ?", (identifier,)).fetchone()
    return row and row[0]


@contextlib.contextmanager
def sole_use(directory: Path, name: str = "lock") -> Iterator[None]:
    """Hold the lock file `name` in `directory`, which is made if it is absent.

    Raises
    ------
    InputError
        Another process holds it, or the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / name).open("w")
    except OSError as error:
        raise InputError(f"cannot keep a journal in {directory}: {error.strerror}") from None
    with lock:
        try:
            # The kernel drops the lock with the process, so a killed run leaves none behind.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"another run works with the journal in {directory}; wait for it or end it"
            ) from None
        except OSError as error:
            raise InputError(
                f"cannot lock the journal in {directory}: {error.strerror}; keep it on a file"
                " system with locks"
            ) from None
        yield
