"""Count the sounds that each stage left out, by reason."""

import os
import re
from collections import Counter
from collections.abc import Iterable

import h5py
import pandas as pd

from tagalign import store
from tagalign.audio.file import PatchShard
from tagalign.freesound.file import AudioShard
from tagalign.pairs.file import TrainingFile
from tagalign.sources.catalogue import Catalogue
from tagalign.tags.file import TagSets

ORDER = (
    "catalogue",
    "patches",
    "tags",
    "pairs",
    "dataset",
    "task",
    "embed-task",
)

# Stage -> its file and the fields that list what it holds.
HELD = {
    "catalogue": (Catalogue, ["id"]),
    "audio": (AudioShard, ["id"]),
    "patches": (PatchShard, ["id"]),
    "tags": (TagSets, ["id"]),
    "pairs": (TrainingFile, ["train.id", "validation.id"]),
}


def count_losses(paths: Iterable[str | os.PathLike]) -> pd.DataFrame:
    """Count kept and lost sounds per stage, over all its files.

    Returns
    -------
    pandas.DataFrame
        Columns stage, kept, lost, reason, count: one row per reason, or one with an empty
        reason where nothing was lost.
    """
    kept, lost = Counter(), Counter()
    for path in paths:
        made_by = store.stage_of(path)
        if made_by in HELD:
            kind, names = HELD[made_by]
            *ids, failed = kind.read_fields(path, *names, "failed")
            kept[made_by] += sum(map(len, ids))
            lost.update((made_by, _kind(reason)) for _, reason in failed)
            continue
        with store.read(path) as file:
            if made_by == "leaks":
                continue
            stage = _label(file)
            kept[stage] += _rows(file)
            for _, reason in store.read_failures(file) if "failed" in file else ():
                lost[stage, _kind(reason)] += 1
    rows = []
    for stage in sorted(kept, key=_order):
        reasons = {reason: n for (of, reason), n in lost.items() if of == stage}
        total = sum(reasons.values())
        ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        rows += [(stage, kept[stage], total, reason, n) for reason, n in ordered or [("", 0)]]
    return pd.DataFrame(rows, columns=["stage", "kept", "lost", "reason", "count"])


def count_leaks(paths: Iterable[str | os.PathLike]) -> dict[str, int]:
    """Task -> test recordings that pretraining has seen, where there are any.

    Files of other stages than ``leaks`` are passed over.
    """
    found = {}
    for path in paths:
        with store.read(path) as file:
            if file.attrs.get("stage") == "leaks" and store.count_strings(file["id"]):
                found[str(file.attrs["task"])] = store.count_strings(file["id"])
    return found


def _label(file: h5py.File) -> str:
    """Stage name; of a task with the task's name."""
    stage = str(file.attrs.get("stage"))
    return f"{stage} {file.attrs['task']}" if "task" in file.attrs else stage


def _order(label: str) -> tuple[int, str]:
    stage = label.split()[0]
    return (ORDER.index(stage) if stage in ORDER else len(ORDER)), label


def _rows(file: h5py.File) -> int:
    """Sounds that the file holds; clips of a task without a patch are not held."""
    if file.attrs.get("stage") == "task":
        # Clips that cannot be decoded are among them, those that a list leaves out are not.
        failed = {identifier for identifier, _ in store.read_failures(file)}
        return sum(clip not in failed for clip in store.read_strings(file["clip_id"]))
    for name in ("id", "clip_id"):
        if name in file:
            return store.count_strings(file[name])
    return 0


def _kind(reason: str) -> str:
    """A reason without its details: what follows a colon or stands in parentheses."""
    return re.sub(r"\s*\(.*\)", "", reason.split(":")[0]).strip()
