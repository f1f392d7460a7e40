"""Stage `zeroshot`: classify the clips of a task by tags alone, with nothing trained on it.

The score of a class is the cosine of the clip's aligned embedding phi_a (the mean over its
patches, as phi_a is linear) with phi_w of a tag set that stands for the class, brought from
[-1, 1] to [0, 1]. A class of which the model knows no tag is never predicted.
"""

import os
from importlib import resources

import numpy as np
import yaml

from tagalign.embedding.spaces import unit
from tagalign.embedding.stage_files import ClipEmbeddings
from tagalign.embedding.tags import read_tags
from tagalign.errors import InputError
from tagalign.evaluate.scores import score_directly
from tagalign.evaluate.stage import join, score_file
from tagalign.evaluate.stage_files import ScoreFile
from tagalign.model.file import Model, load_model
from tagalign.tags.clean import normalise
from tagalign.tasks.stage_files import TaskClips


def run(
    task: str | os.PathLike,
    embeddings: str | os.PathLike,
    model: str | os.PathLike,
    sections: dict,
    output: str | os.PathLike,
    *,
    pretraining_seed: int,
) -> ScoreFile:
    """Score a model on a task without training a classifier.

    Parameters
    ----------
    task, embeddings
        Files of the stages `task` and `embed-task`.
    model
        The model that made the embeddings.
    sections
        The sections ``evaluate``, and ``datasets.TASK`` for its key ``class_tags``.
    output
        The file to write, see `ScoreFile`; there is one repetition.
    pretraining_seed
        What the model was trained from, for the table.

    Raises
    ------
    InputError
        The model has no aligned space, or knows no tag of any class.
    """
    clips_of = TaskClips.read(task, without=["patches", "mfcc", "tags"])
    found, loaded = ClipEmbeddings.read(embeddings), load_model(model)
    clips = join(clips_of, found, task, embeddings)
    given = sections.get(f"datasets.{clips_of.task}", {}).get("class_tags")
    sets, failed = tag_sets(loaded, clips_of.classes, class_tags(clips_of.task) | (given or {}))
    known = [column for column, tags in enumerate(sets) if tags]
    if not known:
        raise InputError(
            f"{model} knows no tag of any class of {clips_of.task} ({failed[0][1]}); set"
            f" datasets.{clips_of.task}.class_tags to tags that it knows"
        )
    phi_w = loaded.embed_tags([sets[column] for column in known])
    class_scores = np.zeros(clips.labels.shape, np.float32)
    cosine = unit(loaded.project(clips.embedding)) @ unit(phi_w).T
    class_scores[:, known] = ((1 + cosine) / 2).clip(0, 1)
    settings = sections["evaluate"]
    settings = settings | {"unscored": settings["unscored"] or clips_of.unscored}
    scores = score_directly(clips, class_scores, settings["unscored"])
    result = score_file(clips_of, clips, scores, settings["unscored"])
    result.system, result.pretraining_seed = loaded.system.name, pretraining_seed
    result.config = sections
    result.failed = found.failed + failed
    inputs = {"task": task, "embeddings": embeddings, "model": model}
    result.write(output, stage="zeroshot", inputs=inputs, packages=("torch", "scikit-learn"))
    return result


def class_tags(task: str) -> dict[str, list[str]]:
    """Class -> tags of a task, as the package has them; empty for other tasks."""
    path = resources.files("tagalign") / "resources" / "class_tags.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")).get(task, {})


def tag_sets(
    model: Model, classes: list[str], tags: dict[str, list[str]]
) -> tuple[list[list[str]], list[tuple[str, str]]]:
    """Tags that a model knows, per class, and the classes of which it knows none, and why.

    A class without tags has its name, or where the model does not know that, its words.
    """
    sets, failed = [], []
    for name in classes:
        try:
            sets.append(read_tags(model, tags.get(name) or [normalise(name)]).tags)
        except InputError as error:
            sets.append([])
            failed.append((f"class {name}", str(error)))
    return sets, failed
