"""Make sure that pretraining has not seen a sound on which it is tested."""

import itertools
import os
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from tagalign import store
from tagalign.errors import InputError
from tagalign.evaluate.stage_files import Leaks
from tagalign.pairs.file import TrainingFile
from tagalign.sources.identity import canonical
from tagalign.tags.file import TagSets
from tagalign.tasks.protocol import name_some
from tagalign.tasks.stage_files import TaskClips


def run(
    task: str | os.PathLike,
    pretraining: Sequence[str | os.PathLike],
    sections: dict,
    output: str | os.PathLike,
    *,
    dataset: str | os.PathLike | None = None,
    catalogue: str | os.PathLike | None = None,
) -> Leaks:
    """Check a task and write the leaks that are allowed.

    Parameters
    ----------
    task, pretraining, dataset, catalogue
        As for `check_leaks`.
    sections
        The section ``evaluate``; `allow_leaks` is read.
    output
        The file to write, see `Leaks`.

    Raises
    ------
    InputError
        As `check_leaks`.
    """
    allowed = sections["evaluate"]["allow_leaks"]
    found = check_leaks(task, pretraining, allowed, dataset, catalogue)
    inputs = {"task": task} | {f"pretraining {i}": path for i, path in enumerate(pretraining)}
    inputs |= {"dataset": dataset} if dataset else {}
    inputs |= {"catalogue": catalogue} if catalogue else {}
    found.config = {"evaluate": {"allow_leaks": allowed}}
    found.write(output, inputs=inputs)
    return found


def check_leaks(
    task: str | os.PathLike,
    pretraining: Iterable[str | os.PathLike],
    allowed: Collection[str],
    dataset: str | os.PathLike | None = None,
    catalogue: str | os.PathLike | None = None,
) -> Leaks:
    """Compare the recordings of the tested clips with the sounds of pretraining.

    Parameters
    ----------
    task
        A file of stage ``task``.
    pretraining
        Files with the ids of sounds: of stage ``pairs``, or of stage ``tags`` (word vectors
        are trained on all of these). They are compared as numbers of Freesound.
    allowed
        Tasks for which a leak is no error (key ``evaluate.allow_leaks``).
    dataset, catalogue
        Files of these stages with the SHA-256 of each clip and of each sound of pretraining.
        With both, contents are compared as well: a copy is found whatever its name.

    Raises
    ------
    InputError
        There are such sounds and the task is not among `allowed`.
    """
    name, tested_folds, fold, clip_id, freesound_id = TaskClips.read_fields(
        task, "task", "tested_folds", "fold", "clip_id", "freesound_id"
    )
    tested = np.isin(fold, tested_folds)
    clips = list(itertools.compress(clip_id, tested))
    recordings = list(itertools.compress(freesound_id, tested))
    known = {canonical(recording) for recording in recordings if recording}
    contents = _contents(dataset, "clip_id", clips) if dataset and catalogue else {}
    seen = set()
    with_sums = 0
    for path in pretraining:
        ids = _ids(path)
        sums = set(_contents(catalogue, "id", ids).values()) if contents else set()
        with_sums = max(with_sums, len(sums))
        by_id = known & set(map(canonical, ids))
        by_content = {clip for clip, content in contents.items() if content in sums}
        seen |= by_id | by_content
        if name in allowed:
            continue
        remedy = f"exclude them (key source.exclude) or add {name} to evaluate.allow_leaks"
        if by_id:
            raise InputError(
                f"{len(by_id)} of {len(known)} test recordings of {name} are among the"
                f" pretraining sounds in {path}: {name_some(list(by_id))}; {remedy}"
            )
        if by_content:
            raise InputError(
                f"{len(by_content)} of {len(contents)} test clips of {name} are, byte for byte,"
                f" pretraining sounds in {path}: {name_some(list(by_content))}; {remedy}"
            )
    comparable = len(contents) if with_sums else 0
    compared = (
        f"compared by Freesound id: {sum(map(bool, recordings))} of {len(clips)} test clips; by"
        f" content: {comparable}"
    )
    return Leaks(task=name, id=sorted(seen), compared=compared)


def _contents(path: str | os.PathLike, column: str, wanted: Iterable[str]) -> dict[str, str]:
    """Id -> SHA-256 of the wanted rows of a catalogue or data set that have one."""
    wanted = set(wanted)
    with store.read(path) as file:
        if "sha256" not in file:  # previews of Freesound are no files of the user
            return {}
        pairs = zip(
            store.read_strings(file[column]), store.read_strings(file["sha256"]), strict=True
        )
        return {
            identifier: sha256 for identifier, sha256 in pairs if sha256 and identifier in wanted
        }


def _ids(path: str | os.PathLike) -> set[str]:
    """Ids of the sounds in a file of pretraining."""
    stage = store.stage_of(path)
    if stage == "pairs":
        train, validation = TrainingFile.read_fields(path, "train.id", "validation.id")
        return {*train, *validation}
    if stage == "tags":
        return set(TagSets.read_fields(path, "id")[0])
    raise InputError(f"{path} holds no sound ids; give a file of stage tags or pairs")
