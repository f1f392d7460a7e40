"""Progress of long work: a bar on a terminal, heartbeat lines in a log."""

import sys
import time

from tqdm import tqdm

quiet = False
"""Whether to show nothing, in the whole program."""


class Progress:
    """Count units of work and show how far it is.

    On a terminal this is a tqdm bar; otherwise one line to standard error at most every
    `every` seconds, and one at the end, so that a log stays short and shows life.

    Parameters
    ----------
    label
        What is being done, such as ``"patches"``.
    total
        Number of units, or None where it is not known.
    unit
        Name of the units.
    every
        Seconds between heartbeat lines.
    """

    def __init__(self, label: str, total: int | None, unit: str = "sounds", every: float = 10.0):
        self.label, self.total, self.unit, self.every = label, total, unit, every
        self.count = 0
        self.notes: dict[str, object] = {}
        self.start = self.last = time.monotonic()
        self.bar = None
        if sys.stderr.isatty() and not quiet:
            self.bar = tqdm(total=total, desc=label, unit=f" {unit}")

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
        elif kind is None:
            self._line()

    def update(self, n: int = 1, **notes: object) -> None:
        """Count `n` more units; `notes` such as ``failed=3`` are shown beside the count."""
        self.count += n
        self.notes |= notes
        if self.bar is not None:
            self.bar.set_postfix(self.notes, refresh=False)
            self.bar.update(n)
        elif time.monotonic() - self.last >= self.every:
            self._line()

    def say(self, text: str) -> None:
        """Print a line that stays, above the bar if there is one."""
        if not quiet:
            tqdm.write(text, file=sys.stderr)
            sys.stderr.flush()

    def _line(self) -> None:
        if quiet:
            return
        self.last = time.monotonic()
        rate = self.count / max(self.last - self.start, 1e-9)
        parts = [f"{self.label}: {self.count}"]
        if self.total:
            parts[0] += f"/{self.total} {self.unit} ({100 * self.count / self.total:.0f} %)"
            if 0 < self.count < self.total:
                parts.append(f"{(self.total - self.count) / rate:.0f} s left")
        else:
            parts[0] += f" {self.unit}"
        parts.append(f"{rate:.1f} {self.unit}/s")
        parts += [f"{key} {value}" for key, value in self.notes.items()]
        print(", ".join(parts), file=sys.stderr, flush=True)
