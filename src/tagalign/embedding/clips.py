"""Stage `embed-task`: one embedding per clip, the mean over its frames, or its MFCC."""

import json
import os

import h5py
import numpy as np

from tagalign import store
from tagalign.embedding.sounds import embed_clips
from tagalign.errors import InputError
from tagalign.progress import Progress


def embed_task_clips(file: h5py.File, model) -> tuple[np.ndarray, np.ndarray]:
    """Embed the clips of a task file from their sound.

    Parameters
    ----------
    file
        An open task file with frames.
    model
        As for `tagalign.embedding.sounds.embed_clips`.

    Returns
    -------
    rows : int [shape=(m,)]
        The clips that have frames.
    embeddings : float32 [shape=(m, V)]
        Mean over the frames of each, weighted as the task's configuration says.
    """
    weighting = store.attributes(file)["config"]["frames"]["patch_weights"]
    values, offsets = file["frames/values"], file["frames/offsets"][()]
    rows = np.flatnonzero(np.diff(offsets))
    clips = (values[offsets[row] : offsets[row + 1]] for row in rows)
    embeddings = []
    with Progress("embed-task", len(rows), unit="clips") as progress:
        for vector in embed_clips(model, clips, weighting):
            embeddings.append(vector)
            progress.update()
    return rows, np.stack(embeddings)


def check_front_end(file: h5py.File, model, task_path, model_path) -> None:
    """Frames must be made with the front end that the model was trained with.

    Raises
    ------
    InputError
        With the first key that differs.
    """
    ours, theirs = json.loads(file.attrs["front_end"]), model.front_end
    # Which patch is cut matters to training only; the frames of a clip are all its frames.
    for key in sorted(set(ours) - {"criterion", "step", "seed", "silent", "max_seconds"}):
        if key in theirs and ours[key] != theirs[key]:
            raise InputError(
                f"{task_path} was made with patches.{key} = {ours[key]}, but {model_path} was"
                f" trained with {theirs[key]}; make the task again with the model's value"
            )


def write_embeddings(
    output: str | os.PathLike,
    file: h5py.File,
    rows: np.ndarray,
    embeddings: np.ndarray,
    *,
    inputs: dict,
    failures: list[tuple[str, str]],
) -> None:
    """Write the embeddings of the clips `rows` of a task file, and why others have none."""
    clip_ids = store.read_strings(file["clip_id"])
    with store.create(
        output, stage="embed-task", config={}, inputs=inputs, packages=("torch",)
    ) as out:
        out.attrs["task"] = file.attrs["task"]
        store.write_strings(out, "clip_id", [clip_ids[row] for row in rows])
        out["embedding"] = embeddings
        store.write_failures(out, failures)
