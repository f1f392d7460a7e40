"""The files of the evaluation: scores, and the check that pretraining has seen no test sound."""

import dataclasses

import numpy as np

from tagalign.store.fields import StageFile, attribute, failures, field, part


@dataclasses.dataclass(kw_only=True)
class Leaks(StageFile, stage="leaks", place="leaks/TASK.h5"):
    """Test recordings that pretraining has seen, which the configuration allows."""

    task: str = attribute("text", "name of the task")
    compared: str = attribute("text", "on how much of the task the comparison rests")
    id: list[str] = field("text", "L", "their Freesound ids, or clips whose contents it has seen")


@dataclasses.dataclass(kw_only=True)
class ScoreFile(StageFile, stage=("evaluate", "zeroshot"), place="scores/SYSTEM/SEED/TASK.h5"):
    """The scores of one system, pretraining seed and task, by a classifier or by tags alone.

    Those by tags alone lie in ``zeroshot``, in place of ``scores``.

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


@dataclasses.dataclass
class Queries:
    """Queries of one direction and how they ranked; see `tagalign.evaluate.retrieval`."""

    query: list[str] = field("text", "N", "id of the sound, or tags")
    group: list[str] = field("text", "N", "what makes queries alike: recording, group, or tag")
    candidates: np.ndarray = field("int32", "N", "how many were ranked")
    relevant: np.ndarray = field("int32", "N", "how many of these are relevant, at least one")
    rank: np.ndarray = field("int32", "N", "place of the first relevant one, from 1")
    precision: np.ndarray = field("float64", "N", "average precision over ten places")


@dataclasses.dataclass(kw_only=True)
class RetrievalFile(StageFile, stage="retrieve", place="retrieval/SYSTEM/SEED.h5"):
    """Retrieval among the validation pairs of a run, by one system and pretraining seed."""

    system: str = attribute("text", "name of the system")
    pretraining_seed: int = attribute("int64", "seed from which it was trained")
    words: str = attribute("text", "its word model: word2vec, fasttext or pretrained; or none")
    hidden: int = attribute("int64", "tags that were hidden from training")
    sounds_to_tags: Queries | None = part(Queries, optional=True)
    tags_to_sounds: Queries | None = part(Queries, optional=True)
    sounds_to_sounds: Queries | None = part(Queries, optional=True)
    hidden_tags: Queries | None = part(Queries, optional=True)
    failed: list[tuple[str, str]] = failures("sounds and tags that are no queries, and why")
