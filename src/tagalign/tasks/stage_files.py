"""The files of an evaluation data set: its list of clips, and the clips ready to be embedded."""

import dataclasses

import numpy as np

from tagalign.store.fields import StageFile, attribute, failures, field

N_MFCC_STATISTICS = 120


@dataclasses.dataclass(kw_only=True)
class Dataset(StageFile, stage="dataset", place="datasets/TASK.h5"):
    """Every clip of a data set as its published list has it, with the hash of its sound."""

    task: str = attribute("text", "name of the task")
    archives: dict = attribute("JSON", "downloaded archive -> SHA-256; empty for own data")
    clip_id: list[str] = field("text", "N", "the clips")
    file: list[str] = field("text", "N", "sound of each, relative to the data set; empty for tags")
    labels: list[list[str]] = field("text", "N *", "classes of each clip")
    fold: np.ndarray = field("int32", "N", "fold; 0, 1, 2 are training, validation, test if fixed")
    freesound_id: list[str] = field("text", "N", "recording on Freesound, empty if unknown")
    sha256: list[str] = field("text", "N", "SHA-256 of the sound in hexadecimal; empty for tags")
    tags: list[list[str]] | None = field("text", "N *", "the users' tags", optional=True)
    extra: list[str] = field("text", "E", "files found that do not belong to the set")
    failed: list[tuple[str, str]] = failures("published clips that the protocol leaves out")


@dataclasses.dataclass(kw_only=True)
class TaskClips(StageFile, stage="task", place="tasks/TASK.h5"):
    """The clips of a task: patches and MFCC statistics, or tags, with classes and folds.

    A clip that cannot be decoded keeps its row, with no patch and MFCC of NaN.
    """

    task: str = attribute("text", "name of the task")
    title: str = attribute("text", "its name in tables")
    split: str = attribute("text", "`fixed` (training, validation, test) or `folds`")
    tested_folds: np.ndarray = attribute("int32", "folds that are tested", shape="T")
    multi_label: bool = attribute("bool", "whether a clip may have several classes, or none")
    unscored: str = attribute("text", "what becomes of clips without an embedding: wrong or drop")
    front_end: dict | None = attribute(
        "JSON", "section `patches` with which patches were cut", optional=True
    )
    clip_id: list[str] = field("text", "N", "the clips")
    freesound_id: list[str] = field("text", "N", "recording on Freesound, empty if unknown")
    group: list[str] = field("text", "N", "what else makes clips alike, such as an instrument")
    classes: list[str] = field("text", "C", "names of the classes")
    labels: np.ndarray = field("bool", "N C", "whether the clip is of the class")
    fold: np.ndarray = field("int32", "N", "fold; 0, 1, 2 are training, validation, test if fixed")
    patches: list[np.ndarray] | None = field(
        "float32", "N * n_mels n_frames", "log-mel patches of each clip, not scaled", optional=True
    )
    mfcc: np.ndarray | None = field(
        "float32", f"N {N_MFCC_STATISTICS}", "MFCC statistics of each clip", optional=True
    )
    tags: list[list[str]] | None = field("text", "N *", "the users' tags", optional=True)
    failed: list[tuple[str, str]] = failures("clips that could not be used, and why")

    @property
    def recording(self) -> list[str]:
        """What makes clips alike: their group, else their recording, else the clip itself."""
        return [
            group or recording or clip
            for group, recording, clip in zip(
                self.group, self.freesound_id, self.clip_id, strict=True
            )
        ]
