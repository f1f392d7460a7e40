"""Make sure that pretraining has not seen a sound on which it is tested."""

import os
from collections.abc import Collection, Iterable

import numpy as np

from tagalign import store
from tagalign.errors import InputError
from tagalign.tasks.protocol import name_some


def check_leaks(
    task: str | os.PathLike, pretraining: Iterable[str | os.PathLike], allowed: Collection[str]
) -> tuple[str, list[str]]:
    """Compare the recordings of the tested clips with the sounds of pretraining.

    Parameters
    ----------
    task
        A file of stage ``task``; clips without a Freesound id cannot be compared.
    pretraining
        Files with the ids of sounds: of stage ``pairs``, or of stage ``tags`` (word vectors
        are trained on all of these).
    allowed
        Tasks for which a leak is no error (key ``evaluate.allow_leaks``).

    Returns
    -------
    task : str
        Name of the task.
    leaked : list of str
        The Freesound ids that are in both, sorted.

    Raises
    ------
    InputError
        There are such sounds and the task is not among `allowed`.
    """
    with store.read(task, stage="task") as file:
        name = str(file.attrs["task"])
        tested = np.isin(file["fold"][()], file.attrs["tested_folds"])
        recordings = np.array(store.read_strings(file["freesound_id"]), dtype=object)[tested]
    recordings = set(recordings) - {""}
    leaked = set()
    for path in pretraining:
        both = recordings & _ids(path)
        leaked |= both
        if both and name not in allowed:
            raise InputError(
                f"{len(both)} of {len(recordings)} test recordings of {name} are among the"
                f" pretraining sounds in {path}: {name_some(list(both))}; exclude them (key"
                f" source.exclude) or add {name} to evaluate.allow_leaks"
            )
    return name, sorted(leaked)


def _ids(path: str | os.PathLike) -> set[str]:
    """Ids of the sounds in a file of pretraining."""
    with store.read(path) as file:
        groups = [file[part] for part in ("train", "validation") if part in file] or [file]
        missing = next((group for group in groups if "id" not in group), None)
        if missing is not None:
            raise InputError(f"{path} holds no sound ids; give a file of stage tags or pairs")
        return {identifier for group in groups for identifier in store.read_strings(group["id"])}
