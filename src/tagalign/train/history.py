"""What a training reports: heartbeat lines, JSON lines, TensorBoard event files."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from tagalign import store
from tagalign.errors import TagalignError

# How the names of what `tagalign.train.validate.retrieval` returns begin.
RETRIEVAL = ("recall_at_", "mean_reciprocal_rank")


class History:
    """Append a record per epoch to the files that the user asked for.

    Parameters
    ----------
    path
        JSON-lines file, or None.
    tensorboard
        Directory of event files, or None.
    records
        What a resumed training has already done; the files start with it.
    """

    def __init__(
        self,
        path: str | os.PathLike | None,
        tensorboard: str | os.PathLike | None,
        records: list[dict],
    ):
        self.path = None if path is None else Path(path)
        self.writer = None if tensorboard is None else _event_writer(tensorboard, len(records))
        if self.path is not None:
            # Lines of epochs after the last checkpoint would come twice: start from its own.
            with store.replacing(self.path) as part:
                part.write_text("".join(json.dumps(record) + "\n" for record in records))

    def add(self, record: dict) -> None:
        """Write the record of an epoch; if that fails, warn, as training matters more."""
        try:
            self._add(record)
        except OSError as error:
            print(f"train: cannot write the history, training goes on: {error}", file=sys.stderr)

    def _add(self, record: dict) -> None:
        if self.path is not None:
            with open(self.path, "a") as file:
                file.write(json.dumps(record) + "\n")
        if self.writer is not None:
            for name, value in record.items():
                if name != "epoch":
                    part, tag = split_name(name)
                    self.writer.add_scalar(f"{tag}/{part}", value, record["epoch"])
            self.writer.flush()

    def close(self) -> None:
        """Close the event files."""
        if self.writer is not None:
            self.writer.close()


def split_name(name: str) -> tuple[str, str]:
    """``"validation_loss"`` -> ``("validation", "loss")``; training is what has no prefix."""
    if name.startswith("validation_"):
        return "validation", name.removeprefix("validation_")
    return ("validation" if name.startswith(RETRIEVAL) else "training"), name


def epoch_line(system: str, record: dict, epochs: int, seconds_left: float) -> str:
    """One line for people: epoch, losses, retrieval, speed, time left."""
    losses: dict[bool, list[str]] = {True: [], False: []}
    skipped = ("epoch", "seconds", "samples_per_second")
    for name, value in record.items():
        part, tag = split_name(name)
        if name not in skipped and not tag.startswith(RETRIEVAL):
            losses[part == "validation"].append(f"{tag} {value:.4g}")
    line = f"train {system}: epoch {record['epoch']}/{epochs}: {', '.join(losses[False])}"
    if losses[True]:
        line += f"; validation: {', '.join(losses[True])}"
    if "recall_at_1" in record:
        line += f", R@1 {record['recall_at_1']:.1%}, R@10 {record['recall_at_10']:.1%}"
    return f"{line}; {record['samples_per_second']:.0f} samples/s, {duration(seconds_left)} left"


def duration(seconds: float) -> str:
    """Seconds as people read them: 75 s, 12 min, 3.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _event_writer(directory: str | os.PathLike, epochs_done: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise TagalignError(
            "TensorBoard is not installed, so no event files can be written; install the extra"
            " `tagalign[tensorboard]` or set compute.tensorboard to false"
        ) from None
    # Steps after the purge step, from a run that was killed, disappear from the display.
    return SummaryWriter(str(directory), purge_step=epochs_done + 1)
