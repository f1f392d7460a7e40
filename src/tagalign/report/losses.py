"""Count the sounds that each stage left out, by reason."""

import os
import re
from collections import Counter
from collections.abc import Iterable

import pandas as pd

from tagalign import store
from tagalign.audio.file import PatchShard
from tagalign.embedding.stage_files import ClipEmbeddings
from tagalign.evaluate.stage_files import Leaks
from tagalign.freesound.file import AudioShard
from tagalign.pairs.file import TrainingFile
from tagalign.sources.catalogue import Catalogue
from tagalign.store.fields import StageFile
from tagalign.tags.file import TagSets
from tagalign.tasks.stage_files import Dataset, TaskClips

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
HELD: dict[str, tuple[type[StageFile], list[str]]] = {
    "catalogue": (Catalogue, ["id"]),
    "audio": (AudioShard, ["id"]),
    "patches": (PatchShard, ["id"]),
    "tags": (TagSets, ["id"]),
    "pairs": (TrainingFile, ["train.id", "validation.id"]),
    "dataset": (Dataset, ["clip_id"]),
    "task": (TaskClips, ["clip_id"]),
    "embed-task": (ClipEmbeddings, ["clip_id"]),
}


def count_losses(paths: Iterable[str | os.PathLike]) -> pd.DataFrame:
    """Count kept and lost sounds per stage, over all its files.

    Returns
    -------
    pandas.DataFrame
        Columns stage, kept, lost, reason, count: one row per reason, or one with an empty
        reason where nothing was lost.
    """
    kept: Counter = Counter()
    lost: Counter = Counter()
    for path in paths:
        made_by = store.stage_of(path)
        if made_by not in HELD:
            continue
        kind, names = HELD[made_by]
        *ids, failed = kind.read_fields(path, *names, "failed")
        stage = made_by
        if "task" in kind.fields():
            stage = f"{made_by} {kind.read_fields(path, 'task')[0]}"
        # Clips of a task that cannot be decoded have a row there, but nothing to embed.
        empty = {identifier for identifier, _ in failed} if kind is TaskClips else set()
        kept[stage] += sum(identifier not in empty for part in ids for identifier in part)
        lost.update((stage, _kind(reason)) for _, reason in failed)
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
        if store.stage_of(path) == "leaks":
            task, seen = Leaks.read_fields(path, "task", "id")
            if seen:
                found[task] = len(seen)
    return found


def _order(label: str) -> tuple[int, str]:
    stage = label.split()[0]
    return (ORDER.index(stage) if stage in ORDER else len(ORDER)), label


def _kind(reason: str) -> str:
    """A reason without its details: what follows a colon or stands in parentheses."""
    return re.sub(r"\s*\(.*\)", "", reason.split(":")[0]).strip()
