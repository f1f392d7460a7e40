"""Stage `embed-task`: one embedding per clip, from its patches, its tags or its MFCC."""

import os

import h5py
import numpy as np

from tagalign import store
from tagalign.embedding.sounds import embed_clips
from tagalign.embedding.stage_files import ClipEmbeddings
from tagalign.embedding.tags import known_tags
from tagalign.errors import InputError
from tagalign.progress import Progress
from tagalign.tasks.stage_files import TaskClips


def run(
    task: str | os.PathLike,
    output: str | os.PathLike,
    *,
    model: str | os.PathLike | None = None,
    device: str = "auto",
) -> ClipEmbeddings:
    """Embed the clips of a task with a model, or by their MFCC statistics.

    Parameters
    ----------
    task
        A file of stage `task`.
    output
        The file to write, see `ClipEmbeddings`.
    model
        A model file; None takes the MFCC statistics.
    device
        Where the model runs: ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    InputError
        The task holds no sounds, its patches were cut with another front end than the model's,
        or the model knows no tag of any clip.
    """
    clips = TaskClips.read(task, without=["patches"])
    inputs, failures = {"task": task}, clips.failed
    if model is None:
        if clips.mfcc is None:
            raise InputError(f"{task} holds tags, not sounds; it has no MFCC")
        rows = np.flatnonzero(np.isfinite(clips.mfcc).all(axis=1))
        embeddings = clips.mfcc[rows]
    else:
        from tagalign.model.file import load_model  # MFCC need not wait for PyTorch

        inputs["model"] = model
        loaded = load_model(model, device=device)
        if clips.tags is not None:
            rows, embeddings, unknown = embed_tagged_clips(clips, loaded)
            failures = failures + unknown
        else:
            check_front_end(clips.front_end, loaded, task, model)
            with TaskClips.open(task) as file:
                rows, embeddings = embed_patches(file, loaded)
    found = ClipEmbeddings(
        task=clips.task,
        clip_id=[clips.clip_id[row] for row in rows],
        embedding=embeddings,
        failed=failures,
    )
    found.write(output, inputs=inputs, packages=("torch",))
    return found


def embed_patches(file: h5py.File, model) -> tuple[np.ndarray, np.ndarray]:
    """Embed the clips of an open task file from their patches, one clip after the other.

    Parameters
    ----------
    file
        As `TaskClips.open` gives it.
    model
        As for `tagalign.embedding.sounds.embed_clips`.

    Returns
    -------
    rows : int [shape=(m,)]
        The clips that have patches.
    embeddings : float32 [shape=(m, V)]
        Mean over the patches of each, weighted as the task's configuration says.
    """
    weighting = store.attributes(file)["config"]["clips"]["patch_weights"]
    values, offsets = file["patches/values"], file["patches/offsets"][()]
    rows = np.flatnonzero(np.diff(offsets))
    clips = (values[offsets[row] : offsets[row + 1]] for row in rows)
    embeddings = []
    with Progress("embed-task", len(rows), unit="clips") as progress:
        for vector in embed_clips(model, clips, weighting):
            embeddings.append(vector)
            progress.update()
    return rows, np.stack(embeddings)


def embed_tagged_clips(
    clips: TaskClips, model
) -> tuple[np.ndarray, np.ndarray, list[tuple[str, str]]]:
    """Embed the clips of a task from their tags.

    Returns
    -------
    rows : int [shape=(m,)]
        The clips with a tag that the model knows.
    embeddings : float32 [shape=(m, W)]
        phi_w of each.
    failures : list of (clip id, reason)
        The clips that have tags, but none that the model knows.

    Raises
    ------
    InputError
        The model has no tag encoder, or knows no tag of any clip.
    """
    known = [known_tags(model, tags) for tags in clips.tags]
    rows = np.array([row for row, tags in enumerate(known) if tags], np.int64)
    if not len(rows):
        raise InputError(
            f"the model of system {model.system.name} knows none of the tags of the {len(known)}"
            " clips; its vocabulary is of another kind of sounds"
        )
    failures = [
        (clips.clip_id[row], "no tag in the vocabulary of the model")
        for row, tags in enumerate(known)
        if clips.tags[row] and not tags
    ]
    return rows, model.embed_tags([known[row] for row in rows]), failures


def check_front_end(ours: dict, model, task_path, model_path) -> None:
    """Patches must be cut with the front end that the model was trained with.

    Raises
    ------
    InputError
        With the first key that differs.
    """
    theirs = model.front_end
    # Which patch is taken matters to training only; those of a clip are all its patches.
    for key in sorted(set(ours) - {"criterion", "step", "seed", "silent", "max_seconds"}):
        if key in theirs and ours[key] != theirs[key]:
            raise InputError(
                f"{task_path} was made with patches.{key} = {ours[key]}, but {model_path} was"
                f" trained with {theirs[key]}; make the task again with the model's value"
            )
