"""Stop between two steps when asked to, instead of in the middle of one."""

import signal
import threading
from types import FrameType


class StopRequest:
    """While active, remember SIGTERM and SIGINT instead of dying from them.

    A second SIGINT acts as usual, so that a user who insists gets out at once.

    Attributes
    ----------
    name
        Name of the signal that came, or None.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self.name: str | None = None
        self.previous: dict = {}

    def __enter__(self) -> "StopRequest":
        # Only the main thread may set handlers; elsewhere the caller's stay in force.
        if threading.current_thread() is threading.main_thread():
            for number in self.SIGNALS:
                self.previous[number] = signal.signal(number, self._remember)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
        self.previous = {}

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.name = signal.Signals(number).name
        signal.signal(signal.SIGINT, self.previous[signal.SIGINT])
