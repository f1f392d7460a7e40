"""State of the walk in the journal: windows to do, sounds seen, sounds left out.

Every answer of Freesound is one transaction here, so that a stop at any moment loses at most
the request under way.
"""

import json
import sqlite3
from collections.abc import Container, Iterator, Mapping
from typing import Any

from tagalign.sources.journal import transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS todo
    (kind TEXT, start INTEGER, stop INTEGER, page INTEGER, PRIMARY KEY (kind, start, stop));
CREATE TABLE IF NOT EXISTS sound
    (id INTEGER PRIMARY KEY, created INTEGER, walk INTEGER, reason TEXT, record TEXT);
CREATE INDEX IF NOT EXISTS sound_created ON sound (created, walk);
CREATE TABLE IF NOT EXISTS gap (walk INTEGER, at INTEGER, nulls INTEGER, PRIMARY KEY (walk, at));
"""

Window = tuple[int, int, int]  # start, stop (ms since 1970), page


class State:
    """What the walk knows.

    Windows of kind ``walk`` have to be walked through, those of kind ``audit`` compared with
    the number of sounds that Freesound says it has.
    """

    def __init__(self, journal: sqlite3.Connection):
        self.journal = journal
        journal.executescript(SCHEMA)
        self.walk = self._meta("walk", 0)

    def begin(
        self, search: Mapping, start: int, stop: int, excluded: Container[str], refresh: bool
    ) -> None:
        """Plan the walk from `start` to `stop`, reusing what an earlier run has done.

        The same search goes on where it was; a longer range adds windows for what is new.
        Another search, or `refresh` after a complete walk, starts over, and so does a sound
        that is not excluded any more, since nothing of it was kept. Sounds keep their shards
        in any case.
        """
        anew = self._meta("search", None) != dict(search) or self._readmits(excluded)
        with transaction(self.journal):
            if anew or (refresh and not self.todo("walk") and not self.todo("audit")):
                self.walk += 1
                self.journal.execute("DELETE FROM todo")
                self._plan("walk", start, stop)
            else:
                # One range without a gap, so that two numbers tell what was walked.
                old_start, old_stop = self._meta("range", None)
                start, stop = min(start, old_start), max(stop, old_stop)
                self._plan("walk", start, old_start)
                self._plan("walk", old_stop, stop)
            for key, value in {
                "walk": self.walk,
                "search": dict(search),
                "range": [start, stop],
            }.items():
                self._set(key, value)

    def todo(self, kind: str) -> int:
        """Number of windows that are left."""
        return self.journal.execute("SELECT count(*) FROM todo WHERE kind = ?", (kind,)).fetchone()[
            0
        ]

    def next(self, kind: str) -> Window | None:
        """The earliest window that is left."""
        return self.journal.execute(
            "SELECT start, stop, page FROM todo WHERE kind = ? ORDER BY start LIMIT 1", (kind,)
        ).fetchone()

    def replace(self, kind: str, window: Window, parts: list[Window]) -> None:
        """Put `parts` in the place of a window; none if it is done."""
        self.journal.execute(
            "DELETE FROM todo WHERE kind = ? AND start = ? AND stop = ?", (kind, *window[:2])
        )
        for start, stop, page in parts:
            self._plan(kind, start, stop, page)

    def forget(self, kind: str) -> None:
        """Drop all windows of a kind."""
        self.journal.execute("DELETE FROM todo WHERE kind = ?", (kind,))

    def add(self, identifier: int, created: int, reason: str | None, record: dict | None) -> bool:
        """Keep a sound; of a sound that comes twice the later answer counts. True if new.

        A sound with a `reason` cannot be used; one without a `record` is excluded.
        """
        row = self.journal.execute("SELECT walk FROM sound WHERE id = ?", (identifier,)).fetchone()
        text = record and json.dumps(record, ensure_ascii=False)
        self.journal.execute(
            "INSERT OR REPLACE INTO sound VALUES (?, ?, ?, ?, ?)",
            (identifier, created, self.walk, reason, text),
        )
        return row is None or row[0] != self.walk

    def add_nulls(self, at: int, nulls: int) -> None:
        """Note results without content, which Freesound counts but does not have any more."""
        self.journal.execute("INSERT OR REPLACE INTO gap VALUES (?, ?, ?)", (self.walk, at, nulls))

    def known(self, start: int, stop: int) -> int:
        """Number of results seen in a window, with or without content."""
        (sounds,) = self.journal.execute(
            "SELECT count(*) FROM sound WHERE created >= ? AND created <= ? AND walk = ?",
            (start, stop, self.walk),
        ).fetchone()
        (nulls,) = self.journal.execute(
            "SELECT coalesce(sum(nulls), 0) FROM gap WHERE at >= ? AND at <= ? AND walk = ?",
            (start, stop, self.walk),
        ).fetchone()
        return sounds + nulls

    def after(self, start: int, stop: int, n: int) -> int:
        """A moment after the first `n` sounds of a window and before the next one, if any.

        It lies in the gap between two sounds, so that it does not matter how precisely the
        service keeps their times.
        """
        rows = self.journal.execute(
            "SELECT DISTINCT created FROM (SELECT created FROM sound WHERE created >= ?"
            " AND created <= ? AND walk = ? ORDER BY created LIMIT -1 OFFSET ?) LIMIT 2",
            (start, stop, self.walk, max(n - 1, 0)),
        ).fetchall()
        return (rows[0][0] + rows[1][0] + 1) // 2 if len(rows) == 2 else stop

    def plan_audit(self, start: int, stop: int, size: int) -> None:
        """Cut a range that was walked into windows of about `size` sounds to audit."""
        while start < stop:
            end = max(self.after(start, stop, size), start + 1)
            self._plan("audit", start, end)
            start = end

    def ids(self, start: int, stop: int) -> Iterator[int]:
        """Ids of the usable sounds of this walk in a range, in order."""
        rows = self.journal.execute(
            "SELECT id FROM sound WHERE walk = ? AND reason IS NULL AND created >= ?"
            " AND created < ? ORDER BY id",
            (self.walk, start, stop),
        )
        return (row[0] for row in rows)

    def rows(self, start: int, stop: int) -> Iterator[dict]:
        """Usable sounds of this walk in a range with their shard, by shard and id."""
        rows = self.journal.execute(
            "SELECT shard.shard, sound.id FROM sound JOIN shard"
            " ON shard.id = CAST(sound.id AS TEXT) WHERE walk = ? AND reason IS NULL"
            " AND created >= ? AND created < ? ORDER BY shard.shard, sound.id",
            (self.walk, start, stop),
        )
        for shard, identifier in rows:
            (text,) = self.journal.execute(
                "SELECT record FROM sound WHERE id = ?", (identifier,)
            ).fetchone()
            yield {"id": str(identifier), "shard": shard, **json.loads(text)}

    def left_out(self, start: int, stop: int) -> list[tuple[str, str]]:
        """(id, reason) of the sounds of this walk that are not usable, by id."""
        rows = self.journal.execute(
            "SELECT id, reason FROM sound WHERE walk = ? AND reason IS NOT NULL"
            " AND created >= ? AND created < ? ORDER BY id",
            (self.walk, start, stop),
        )
        return [(str(identifier), reason) for identifier, reason in rows]

    def exclude(self, reasons: Mapping[str, str]) -> None:
        """Leave out sounds that were let in before they were listed."""
        with transaction(self.journal):
            for identifier, reason in reasons.items():
                if identifier.isdecimal():
                    self.journal.execute(
                        "UPDATE sound SET reason = ?, record = NULL WHERE id = ?",
                        (reason, int(identifier)),
                    )

    def _readmits(self, excluded: Container[str]) -> bool:
        rows = self.journal.execute(
            "SELECT id FROM sound WHERE record IS NULL AND walk = ?", (self.walk,)
        )
        return any(str(row[0]) not in excluded for row in rows)

    def _plan(self, kind: str, start: int, stop: int, page: int = 1) -> None:
        if start < stop:
            self.journal.execute(
                "INSERT OR REPLACE INTO todo VALUES (?, ?, ?, ?)", (kind, start, stop, page)
            )

    def _meta(self, key: str, default: Any) -> Any:
        row = self.journal.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else default

    def _set(self, key: str, value: object) -> None:
        self.journal.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))
