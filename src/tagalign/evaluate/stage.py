"""Stage `evaluate`: join a task with its embeddings, classify, and write the scores."""

import os

import numpy as np

from tagalign.embedding.stage_files import ClipEmbeddings
from tagalign.errors import InputError
from tagalign.evaluate.metrics import metrics_for
from tagalign.evaluate.scores import Clips, Scores, score
from tagalign.evaluate.stage_files import ScoreFile
from tagalign.tasks.stage_files import TaskClips


def run(
    task: str | os.PathLike,
    embeddings: str | os.PathLike,
    sections: dict,
    output: str | os.PathLike,
    *,
    system: str,
    pretraining_seed: int,
    jobs: int = 1,
    device: str = "cpu",
) -> ScoreFile:
    """Score one system, pretraining seed and task.

    Parameters
    ----------
    task, embeddings
        Files of the stages `task` and `embed-task`.
    sections
        The section ``evaluate``.
    output
        The file to write, see `ScoreFile`.
    system, pretraining_seed
        What made the embeddings, for the table.
    jobs, device
        As for `tagalign.evaluate.scores.score`.

    Raises
    ------
    InputError
        The embeddings are of clips that the task does not have, or hold values that are not
        finite; a fold has nothing to train on or to test.
    """
    clips_of = TaskClips.read(task, without=["patches", "mfcc", "tags"])
    found = ClipEmbeddings.read(embeddings)
    settings = sections["evaluate"]
    settings = settings | {"unscored": settings["unscored"] or clips_of.unscored}
    clips = join(clips_of, found, task, embeddings)
    scores = score(clips, settings, jobs=jobs, device=device)
    result = score_file(clips_of, clips, scores, settings["unscored"])
    result.system, result.pretraining_seed = system, pretraining_seed
    result.config, result.failed = sections, found.failed
    result.write(
        output,
        inputs={"task": task, "embeddings": embeddings},
        seed=settings["seed"],
        packages=("scikit-learn",),
    )
    return result


def score_file(of: TaskClips, clips: Clips, scores: Scores, unscored: str) -> ScoreFile:
    """The scores of a task as a file, whose system, seed and failures the caller adds."""
    names = [metric.name for metric in metrics_for(clips.multi_label)]
    missing = {clip for clip, _ in of.failed}
    absent = [
        of.clip_id[row]
        for row in np.flatnonzero(np.isin(clips.fold, clips.tested_folds) & ~clips.scored)
    ]
    return ScoreFile(
        system="",
        pretraining_seed=0,
        task=of.task,
        title=of.title,
        multi_label=clips.multi_label,
        unscored_are=unscored,
        missing=sum(clip in missing for clip in absent),
        unscored=sum(clip not in missing for clip in absent),
        fold=np.array(clips.tested_folds),
        metrics=names,
        values=np.stack([scores.metrics[name] for name in names]),
        clip_id=[of.clip_id[row] for row in scores.row],
        clip_fold=clips.fold[scores.row],
        recording=[of.recording[row] for row in scores.row],
        classes=of.classes,
        labels=clips.labels[scores.row],
        class_scores=scores.class_scores,
        failed=[],
    )


def join(of: TaskClips, found: ClipEmbeddings, task, embeddings) -> Clips:
    """Labels and folds of a task with the embeddings of its clips."""
    row_of = {clip_id: row for row, clip_id in enumerate(of.clip_id)}
    stranger = next((clip_id for clip_id in found.clip_id if clip_id not in row_of), None)
    if stranger is not None:
        raise InputError(
            f"{embeddings} holds clip {stranger!r}, which {task} does not have; embed this task"
        )
    broken = np.flatnonzero(~np.isfinite(found.embedding).all(axis=1))
    if len(broken):
        raise InputError(
            f"{embeddings}: the embedding of clip {found.clip_id[broken[0]]!r} holds NaN or"
            " infinity; the model is broken: train it again"
        )
    rows = np.array([row_of[clip_id] for clip_id in found.clip_id], np.int64)
    whole = np.zeros((len(of.clip_id), found.embedding.shape[1]), np.float32)
    whole[rows] = found.embedding
    scored = np.zeros(len(of.clip_id), bool)
    scored[rows] = True
    return Clips(
        embedding=whole,
        scored=scored,
        labels=of.labels,
        fold=of.fold,
        tested_folds=of.tested_folds.tolist(),
        fixed_split=of.split == "fixed",
        multi_label=of.multi_label,
    )
