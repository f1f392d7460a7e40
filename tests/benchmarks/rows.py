"""What a benchmark returns, and how to time it.

A benchmark is a module of this directory with ``def run() -> list[Row]``; `run.py` finds it
by itself. It measures our way and the plain way in the same run, one after the other, on
data that it makes or takes from the bundled corpus. On two CPU cores a module should take
about a minute; where there is a GPU it may add rows for it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement, and the plain way to do the same.

    Attributes
    ----------
    name
        What was measured, such as ``"patches, one core"``.
    value
        Our figure; more is better where there is a baseline.
    unit
        Of both figures, such as ``"clips/s"``.
    baseline
        The figure of the plain way in the same run, or None.
    baseline_name
        What the plain way is.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    baseline_name: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the plain way ours is."""
        return self.value / self.baseline if self.baseline else None


def rates(*works: Callable[[], int], seconds: float = 3.0) -> list[float]:
    """Units per second of each of `works`; a call returns how many units it did.

    The works take turns, so that what else the machine does hits all alike. The first call of
    each is not counted: it loads and compiles. The best of the repetitions that fit into
    `seconds` per work counts (two at least), since other processes can only slow work down.
    """
    best, spent, turns = [0.0] * len(works), 0.0, 0
    for work in works:
        work()
    while turns < 2 or spent < seconds * len(works):
        for index, work in enumerate(works):
            start = time.perf_counter()
            units = work()
            elapsed = time.perf_counter() - start
            best[index] = max(best[index], units / elapsed)
            spent += elapsed
        turns += 1
    return best
