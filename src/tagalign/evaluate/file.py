"""Join a task with its embeddings, and write the scores."""

import os

import numpy as np

from tagalign import store
from tagalign.errors import InputError
from tagalign.evaluate.scores import Clips, Scores


def read_clips(task: str | os.PathLike, embeddings: str | os.PathLike) -> Clips:
    """Read labels and folds from a task file and vectors from an embeddings file.

    Raises
    ------
    InputError
        The embeddings are of another task, of clips that the task does not have, or hold
        values that are not finite.
    """
    with store.read(task, stage="task") as file:
        clip_ids = store.read_strings(file["clip_id"])
        label, fold = file["label"][()], file["fold"][()]
        tested_folds = file.attrs["tested_folds"].tolist()
        fixed_split = file.attrs["split"] == "fixed"
    row_of = {clip_id: row for row, clip_id in enumerate(clip_ids)}
    with store.read(embeddings, stage="embed-task") as file:
        ids, vectors = store.read_strings(file["clip_id"]), file["embedding"][()]
    stranger = next((clip_id for clip_id in ids if clip_id not in row_of), None)
    if stranger is not None:
        raise InputError(
            f"{embeddings} holds clip {stranger!r}, which {task} does not have; embed this task"
        )
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        raise InputError(
            f"{embeddings}: the embedding of clip {ids[broken[0]]!r} holds NaN or infinity;"
            " the model is broken: train it again"
        )
    rows = np.array([row_of[clip_id] for clip_id in ids], np.int64)
    whole = np.zeros((len(clip_ids), vectors.shape[1]), np.float32)
    whole[rows] = vectors
    scored = np.zeros(len(clip_ids), bool)
    scored[rows] = True
    return Clips(whole, scored, label, fold, tested_folds, fixed_split)


def write_scores(
    output: str | os.PathLike,
    task: str | os.PathLike,
    embeddings: str | os.PathLike,
    clips: Clips,
    scores: Scores,
    sections: dict,
    *,
    system: str,
    seed: int,
) -> None:
    """Write the scores of one system, pretraining seed and task.

    The file holds ``fold`` (tested folds), ``accuracy`` and ``macro_f1`` (repetitions, folds),
    ``predictions`` (repetitions, test clips; -1 for a clip without an embedding), and of the
    test clips ``clip_id``, ``label``, ``clip_fold`` and ``recording`` (clips of one recording,
    or of one group of the task, are not independent). The attribute ``unscored`` counts the
    test clips without an embedding, also where ``evaluate.unscored`` drops them.

    Raises
    ------
    InputError
        The task file does not say which clips are alike.
    """
    with store.read(task, stage="task") as file:
        clip_ids = store.read_strings(file["clip_id"])
        if "group" not in file:
            raise InputError(f"{task} was made by an older version of tagalign; make it again")
        groups = store.read_strings(file["group"])
        freesound_ids = store.read_strings(file["freesound_id"])
        classes = store.read_strings(file["classes"])
        name, title = file.attrs["task"], file.attrs["title"]
    with store.read(embeddings, stage="embed-task") as file:
        failures = store.read_failures(file)
    with store.create(
        output,
        stage="evaluate",
        config=sections,
        inputs={"task": task, "embeddings": embeddings},
        seed=sections["evaluate"]["seed"],
        packages=("scikit-learn",),
    ) as file:
        file.attrs["system"], file.attrs["pretraining_seed"] = system, seed
        file.attrs["task"], file.attrs["title"] = name, title
        file["fold"] = np.array(clips.tested_folds, np.int32)
        file["accuracy"], file["macro_f1"] = scores.accuracy, scores.macro_f1
        file["predictions"] = scores.predictions
        file["label"] = clips.label[scores.row]
        file["clip_fold"] = clips.fold[scores.row]
        store.write_strings(file, "clip_id", [clip_ids[row] for row in scores.row])
        recordings = [groups[row] or freesound_ids[row] or clip_ids[row] for row in scores.row]
        store.write_strings(file, "recording", recordings)
        store.write_strings(file, "classes", classes)
        store.write_failures(file, failures)
        tested = np.isin(clips.fold, clips.tested_folds)
        file.attrs["unscored"] = int((tested & ~clips.scored).sum())
