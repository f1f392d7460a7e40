"""Embed many sounds: decoders in their own processes, a journal that outlives a kill."""

import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tagalign.audio.decode import audio_packages
from tagalign.embedding.embedder import Embedder
from tagalign.embedding.file import Writer, check_format
from tagalign.embedding.journal import Journal
from tagalign.embedding.listing import Sound
from tagalign.embedding.sounds import cut_or_why, embed_patches
from tagalign.embedding.spaces import ALIGNED, EMBEDDING
from tagalign.errors import InputError, TagalignError
from tagalign.parallel import ordered_map
from tagalign.progress import Progress

VERSION = 1  # of what a journal holds
WORTH_A_PROCESS = 32  # sounds; fewer take less time than it takes to start a process


class Done(NamedTuple):
    """What became of the sounds: how many have a vector, and why others have none."""

    count: int
    failures: list[tuple[str, str]]


def embed_folder(
    output: str | os.PathLike,
    embedder: Embedder,
    sounds: Sequence[Sound],
    *,
    model: str | os.PathLike,
    aligned: bool = False,
    timestamps: bool = False,
    jobs: int = 1,
) -> Done:
    """Embed sound files and write the vectors; a run that was killed goes on where it was.

    Parameters
    ----------
    output
        The file to write; its suffix says the format (`tagalign.embedding.file`). While the
        work lasts, ``OUTPUT.journal`` lies beside it.
    embedder
        The model to use.
    sounds
        As `tagalign.embedding.listing.find_sounds` gives them.
    model
        The file of the model, whose SHA-256 the output names.
    aligned
        Write phi_a in place of z_a.
    timestamps
        Write a vector per patch, with its time, in place of the mean over the patches.
    jobs : int > 0
        Processes that decode, at most. The result does not depend on it.

    Returns
    -------
    Done
        How many sounds were embedded, and (id, reason) of those that could not be read.

    Raises
    ------
    InputError
        The model cannot embed sounds, no sound could be read, or the format is unknown.
    TagalignError
        Ctrl-C was pressed; the message says how to go on.
    """
    check_format(output)
    check_embeds(embedder)
    network = embedder.model.network
    if aligned and network.projection is None:
        raise InputError(
            f"this model of system {embedder.model.system.name} has no map from audio to tags,"
            " so it has no aligned embeddings; leave out --aligned"
        )
    size = network.projection.out_features if aligned else network.audio_encoder.size
    with journal_of(output, embedder, aligned=aligned, timestamps=timestamps) as journal:
        fill(journal, embedder, sounds, aligned=aligned, timestamps=timestamps, jobs=jobs)
        ids, counts, failures = collect(journal, sounds)
        writer = Writer(
            ids,
            failures,
            journal.vectors,
            counts,
            size,
            ALIGNED if aligned else EMBEDDING,
            embedder.times if timestamps else None,
        )
        packages = (*audio_packages(embedder.model.front_end["resampler"]), "torch")
        writer.write(
            output,
            system=embedder.model.system.name,
            config={"clips": embedder.clips},
            model=model,
            packages=packages,
        )
        journal.remove()
    return Done(len(ids), failures)


def check_embeds(embedder: Embedder) -> None:
    """A model must have an audio encoder to embed sounds.

    Raises
    ------
    InputError
        It has none.
    """
    if embedder.model.network.audio_encoder is None:
        raise InputError(
            f"this model of system {embedder.model.system.name} has no audio encoder and cannot"
            " embed sounds; give a model that `tagalign train` made"
        )


def journal_of(
    output: str | os.PathLike, embedder: Embedder, *, aligned: bool, timestamps: bool
) -> Journal:
    """The journal beside an output; it holds what this model gives with these settings."""
    output = Path(output)
    return Journal(
        output.with_name(f"{output.name}.journal"),
        {
            "version": VERSION,
            "model": embedder.digest,
            "clips": embedder.clips,
            "space": ALIGNED if aligned else EMBEDDING,
            "timestamps": timestamps,
        },
    )


def fill(
    journal: Journal,
    embedder: Embedder,
    sounds: Sequence[Sound],
    *,
    aligned: bool,
    timestamps: bool,
    jobs: int,
) -> None:
    """Embed the sounds that are not in the journal yet.

    Raises
    ------
    TagalignError
        Ctrl-C was pressed.
    """
    stamps = {sound.id: _stamp(sound.path) for sound in sounds}
    missing = [sound for sound in sounds if not journal.has(sound.id, stamps[sound.id])]
    jobs = max(1, min(jobs, len(missing) // WORTH_A_PROCESS))
    failed = 0
    waiting: list[Sound] = []

    def read(progress: Progress) -> Iterator[np.ndarray]:
        nonlocal failed
        results = ordered_map(cut, (sound.path for sound in missing), jobs)
        for sound, result in zip(missing, results, strict=True):
            if isinstance(result, str):
                journal.add(sound.id, stamps[sound.id], result)
                failed += 1
                progress.update(failed=failed)
            else:
                waiting.append(sound)
                yield result

    cut = functools.partial(cut_or_why, front_end=embedder.model.front_end, clips=embedder.clips)
    try:
        with Progress("embed", len(missing)) as progress:
            if len(missing) < len(sounds):
                progress.say(f"embed: {len(sounds) - len(missing)} sounds are done already")
            weighting = embedder.clips["patch_weights"]
            for patches in embed_patches(embedder.model, read(progress), weighting):
                sound = waiting.pop(0)
                result = embedder.finish(patches, aligned=aligned, timestamps=timestamps)
                journal.add(sound.id, stamps[sound.id], np.atleast_2d(result))
                progress.update()
    except KeyboardInterrupt:
        raise TagalignError(
            f"stopped; what is done is kept in {journal.path}, and the same command goes on"
        ) from None


def collect(
    journal: Journal, sounds: Sequence[Sound]
) -> tuple[list[str], list[int], list[tuple[str, str]]]:
    """Ids and number of vectors of the sounds that have some, and (id, reason) of the others.

    Raises
    ------
    InputError
        No sound could be read.
    """
    ids, counts, failures = [], [], []
    for sound in sounds:
        outcome = journal.outcome(sound.id)
        if isinstance(outcome, str):
            failures.append((sound.id, outcome))
        else:
            ids.append(sound.id)
            counts.append(outcome)
    if not ids:
        identifier, reason = failures[0]
        journal.remove()
        raise InputError(
            f"none of the {len(failures)} sounds can be read; the first, {identifier}: {reason}"
        )
    return ids, counts, failures


def _stamp(path: Path) -> list[int]:
    """Size and time of change of a file, by which to see that it is another one now."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]
