"""The files of the evaluation: scores, and the check that pretraining has seen no test sound."""

import dataclasses

import numpy as np

from tagalign.store.fields import StageFile, attribute, failures, field


@dataclasses.dataclass(kw_only=True)
class Leaks(StageFile, stage="leaks", place="leaks/TASK.h5"):
    """Test recordings that pretraining has seen, which the configuration allows."""

    task: str = attribute("text", "name of the task")
    compared: str = attribute("text", "on how much of the task the comparison rests")
    id: list[str] = field("text", "L", "their Freesound ids, or clips whose contents it has seen")


@dataclasses.dataclass(kw_only=True)
class ScoreFile(StageFile, stage="evaluate", place="scores/SYSTEM/SEED/TASK.h5"):
    """The scores of one system, pretraining seed and task.

    `metrics` and `values` hold every metric of `tagalign.evaluate.metrics` that fits the task,
    its headline first.
    """

    system: str = attribute("text", "name of the system")
    pretraining_seed: int = attribute("int64", "seed from which it was trained")
    task: str = attribute("text", "name of the task")
    title: str = attribute("text", "its name in tables")
    multi_label: bool = attribute("bool", "whether a clip may have several classes, or none")
    unscored_are: str = attribute("text", "`wrong` or `drop`: clips without an embedding")
    missing: int = attribute("int64", "test clips that the data set lacks or that cannot be read")
    unscored: int = attribute("int64", "other test clips without an embedding from this system")
    fold: np.ndarray = field("int32", "F", "tested folds")
    metrics: list[str] = field("text", "M", "names of the metrics")
    values: np.ndarray = field("float64", "M R F", "metrics of each repetition and fold, in [0, 1]")
    clip_id: list[str] = field("text", "N", "the test clips, by fold")
    clip_fold: np.ndarray = field("int32", "N", "their folds")
    recording: list[str] = field("text", "N", "what makes clips alike: recording or group")
    classes: list[str] = field("text", "C", "names of the classes")
    labels: np.ndarray = field("bool", "N C", "whether the clip is of the class")
    class_scores: np.ndarray = field(
        "float32", "R N C", "scores of the classes, in [0, 1]; NaN without an embedding"
    )
    failed: list[tuple[str, str]] = failures("clips without an embedding, and why")
