"""What a task is: the clips of a data set, their classes, and how they are split.

A task module builds one `Task` and a function ``read(root, settings) -> Listing`` that lists
the clips below the data set's directory and checks their counts. All else (download,
decoding, patches, MFCC, files) is common to all tasks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tagalign.errors import InputError

TRAIN, VALIDATION, TEST = 0, 1, 2
"""Folds of a task with a fixed split."""


@dataclass(frozen=True)
class Clip:
    """One clip: its id, its file relative to the root, classes, fold and recording.

    `freesound_id` is the recording on Freesound that the clip was cut from, "" if unknown;
    clips of one recording are not independent, and pretraining must not have seen it.
    `group` names what else makes clips alike, such as their instrument, "" if nothing does.
    `labels` are its classes, one unless the task is multi-label. `tags` are the user's tags, for
    tasks that classify from tags.
    """

    clip_id: str
    file: str
    labels: tuple[str, ...]
    fold: int
    freesound_id: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()


@dataclass
class Listing:
    """The clips of a task and how they are tested.

    Attributes
    ----------
    root
        Directory that the clips' files are relative to.
    clips
        All clips, in the order of the published list or of their ids.
    classes
        Names of the classes.
    tested_folds
        Folds that are tested, each against a classifier trained on the others.
    fixed_split
        True where folds are `TRAIN`, `VALIDATION` and `TEST`, and only `TEST` is tested.
    extra
        Files found that do not belong to the set; they are named and not used.
    title
        Name in tables, where it is not that of the task.
    failures
        Published clips that this variant of the protocol leaves out, with the reason.
    multi_label
        Whether a clip may have several classes, or none.
    """

    root: Path
    clips: list[Clip]
    classes: list[str]
    tested_folds: list[int]
    fixed_split: bool = False
    extra: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    title: str = ""
    multi_label: bool = False

    def label_matrix(self) -> np.ndarray:
        """The classes of each clip, bool [shape=(n, C)]."""
        column = {name: index for index, name in enumerate(self.classes)}
        matrix = np.zeros((len(self.clips), len(self.classes)), bool)
        for row, clip in enumerate(self.clips):
            matrix[row, [column[label] for label in clip.labels]] = True
        return matrix


@dataclass(frozen=True)
class Archive:
    """One file to download and unpack.

    Attributes
    ----------
    file
        Its name in the download directory.
    limit
        Most bytes that may come out of it.
    url_key, md5_key
        Keys of the task's section that hold its address and MD5. Without a published MD5
        the hash seen first is kept and compared next time.
    wanted
        ``wanted(settings)`` returns a function that says which members to unpack, by their
        path inside the archive; None takes all.
    """

    file: str
    limit: int
    url_key: str = "url"
    md5_key: str = "md5"
    wanted: Callable[[dict], Callable[[str], bool]] | None = None


@dataclass(frozen=True)
class Task:
    """One task of the evaluation.

    Attributes
    ----------
    name
        Its name in the configuration and on the command line.
    title
        Its name in tables.
    read
        ``read(root, settings) -> Listing``; `settings` is the section ``datasets.<name>``.
    dataset
        Name of the data set's directory in the download directory.
    archives
        What to download there.
    size
        Bytes of the data set, packed once and unpacked once, for estimates.
    patches
        Patches of all its clips, for estimates.
    from_tags
        True where the clips are classified from their tags instead of their sound.
    unscored
        What becomes of test clips without an embedding unless ``evaluate.unscored`` says so:
        ``"wrong"``, errors of the system, or ``"drop"``, for data that the set lacks.
    """

    name: str
    title: str
    read: Callable[[Path, dict], Listing]
    dataset: str
    archives: tuple[Archive, ...] = ()
    size: float = 0.0
    patches: int = 0
    from_tags: bool = False
    unscored: str = "wrong"


def check_folds(task: str, tested: list[int], known: list[int]) -> list[int]:
    """Return the folds to test, sorted.

    Raises
    ------
    InputError
        A fold is not one of `known`, or nothing is left to train on.
    """
    unknown = sorted(set(tested) - set(known))
    if unknown:
        raise InputError(
            f"datasets.{task}.test_folds names fold {unknown[0]}, but the clips are in folds"
            f" {', '.join(map(str, known))}; name only these"
        )
    if len(known) < 2:
        raise InputError(
            f"datasets.{task}: all clips are in fold {known[0]}; a second fold is needed to"
            " train the classifier on"
        )
    return sorted(set(tested))


def name_some(names: list[str], most: int = 5) -> str:
    """The first names of a list, and how many more there are, for one line of an error."""
    names = sorted(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
