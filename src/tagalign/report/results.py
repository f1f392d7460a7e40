"""Read score files and group them: one `Result` per task and system, over pretraining seeds."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import h5py
import numpy as np

from tagalign import store
from tagalign.errors import InputError

SYSTEMS = (
    "mfcc",
    "untrained",
    "w2v-128-1h",
    "w2v-1152-1h",
    "w2v-128-4h",
    "w2v-1152-4h",
    "w2v-128-mean",
    "w2v-1152-mean",
    "coala",
    "coala-e-c",
    "cnn",
)
TASKS = ("us8k", "gtzan", "nsynth", "us8k-tag", "esc10", "esc50")
NOT_PRETRAINED = ("mfcc",)


@dataclass
class Result:
    """All scores of one system on one task.

    Attributes
    ----------
    seeds : list of int
        Pretraining seeds, k of them.
    accuracy, macro_f1 : float64 [shape=(k, repetitions, folds)]
        In [0, 1].
    right : float64 [shape=(k, n)]
        Share of the repetitions that got each test clip right.
    predictions : int [shape=(k, repetitions, n)]
        Predicted classes; -1 for a clip without an embedding.
    clip_id : list of str
        The n test clips.
    label, fold : int [shape=(n,)]
        Their classes and folds.
    recording : list of str
        What each was cut from, or what else makes clips alike, such as their instrument.
    classes : list of str
        Names of the classes.
    tested : list of int
        The tested folds, in the order of `accuracy`.
    unscored : int
        Test clips without an embedding.
    unscored_are : str
        ``"wrong"``: they are among the n clips, as errors; ``"drop"``: they are not.
    """

    task: str
    title: str
    system: str
    seeds: list[int]
    accuracy: np.ndarray
    macro_f1: np.ndarray
    right: np.ndarray
    predictions: np.ndarray
    clip_id: list[str]
    label: np.ndarray
    fold: np.ndarray
    recording: list[str]
    classes: list[str]
    tested: list[int]
    unscored: int
    unscored_are: str = "wrong"

    @property
    def mean(self) -> float:
        """Mean accuracy over seeds, repetitions and folds."""
        return float(self.accuracy.mean())

    @property
    def one_seed(self) -> bool:
        """Whether the noise of its pretraining is unknown."""
        return self.system not in NOT_PRETRAINED and len(self.seeds) < 2


def read_results(paths: Iterable[str | os.PathLike]) -> list[Result]:
    """Read score files; results come in the paper's order of tasks and systems.

    Raises
    ------
    InputError
        Files of one system and task do not fit together.
    """
    groups = defaultdict(dict)
    for path in paths:
        with store.read(path, stage="evaluate") as file:
            key = file.attrs["task"], file.attrs["system"]
            seed = int(file.attrs["pretraining_seed"])
            if seed in groups[key]:
                raise InputError(
                    f"{path}: the scores of {key[1]} on {key[0]} from seed {seed} are given twice;"
                    " name each file once"
                )
            groups[key][seed] = path, _contents(file)
    order = sorted(groups, key=lambda key: (_rank(key[0], TASKS), _rank(key[1], SYSTEMS)))
    return [_join(*key, groups[key]) for key in order]


def _rank(name: str, order: tuple[str, ...]) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order)), name


def _contents(file: h5py.File) -> dict:
    found = {
        name: file[name][()]
        for name in ("accuracy", "macro_f1", "predictions", "label", "clip_fold", "fold")
    }
    for name in ("clip_id", "recording", "classes"):
        found[name] = store.read_strings(file[name])
    evaluate = store.attributes(file)["config"].get("evaluate", {})
    return found | {
        "title": file.attrs["title"],
        "unscored": int(file.attrs["unscored"]),
        "unscored_are": evaluate.get("unscored", "wrong"),
    }


def _join(task: str, system: str, by_seed: dict) -> Result:
    seeds = sorted(by_seed)
    first_path, first = by_seed[seeds[0]]
    for seed in seeds[1:]:
        path, other = by_seed[seed]
        same = other["predictions"].shape == first["predictions"].shape
        for name in ("clip_id", "label", "clip_fold") if same else ():
            same = same and np.array_equal(other[name], first[name])
        if not same:
            raise InputError(
                f"{path} and {first_path} score {system} on {task} with different clips, classes,"
                " folds or repetitions; evaluate both again"
            )
    every = [by_seed[seed][1] for seed in seeds]
    predictions = np.stack([one["predictions"] for one in every])
    return Result(
        task=task,
        title=first["title"],
        system=system,
        seeds=seeds,
        accuracy=np.stack([one["accuracy"] for one in every]),
        macro_f1=np.stack([one["macro_f1"] for one in every]),
        right=(predictions == first["label"]).mean(axis=1),
        predictions=predictions,
        clip_id=first["clip_id"],
        label=first["label"],
        fold=first["clip_fold"],
        recording=first["recording"],
        classes=first["classes"],
        tested=first["fold"].tolist(),
        unscored=max(one["unscored"] for one in every),
        unscored_are=first["unscored_are"],
    )
