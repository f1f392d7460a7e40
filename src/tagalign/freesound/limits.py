"""Keep Freesound's limits of requests per minute and per day, also across restarts."""

import sqlite3
import time
from collections.abc import Callable

from tagalign.download.http import pause

MINUTE, DAY = 60.0, 86_400.0  # seconds
MARGIN = 1.01  # the server's clock starts a request later than ours, so our windows are longer


class Budget:
    """Wait until a request is allowed and write it down before it is sent.

    Freesound counts in sliding windows, and so does this. The times of the requests of the
    last 24 hours are in the journal, so a restart does not forget what was spent.

    Parameters
    ----------
    journal
        Connection to the journal of the source.
    per_minute, per_day
        Requests allowed in any 60 seconds and any 24 hours.
    clock
        Seconds since the epoch.
    sleep
        Called with seconds and a reason.
    """

    def __init__(
        self,
        journal: sqlite3.Connection,
        per_minute: int,
        per_day: int,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float, str], None] = pause,
    ):
        self.journal, self.clock, self.sleep = journal, clock, sleep
        self.windows = [(per_minute, MINUTE, "minute"), (per_day, DAY, "day")]
        journal.execute("CREATE TABLE IF NOT EXISTS request (time REAL)")
        journal.execute("CREATE INDEX IF NOT EXISTS request_time ON request (time)")

    def spend(self) -> None:
        """Return when one more request may be sent; it counts from now on."""
        # Where the clock was set back, these would make us wait until it has caught up.
        now = self.clock()
        self.journal.execute("UPDATE request SET time = ? WHERE time > ?", (now, now))
        for limit, seconds, name in self.windows:
            while (wait := self._wait(limit, seconds * MARGIN)) > 0:
                self.sleep(wait, f"the {limit} requests per {name} are used up")
        now = self.clock()
        self.journal.execute("DELETE FROM request WHERE time < ?", (now - DAY * MARGIN,))
        self.journal.execute("INSERT INTO request VALUES (?)", (now,))

    def _wait(self, limit: int, seconds: float) -> float:
        """Seconds until fewer than `limit` requests lie in the last `seconds`."""
        row = self.journal.execute(
            "SELECT time FROM request ORDER BY time DESC LIMIT 1 OFFSET ?", (limit - 1,)
        ).fetchone()
        return row[0] + seconds - self.clock() if row else 0.0
