"""Stream the patches of all shards into the training file (stage `pairs`).

The shards are read twice, a block of patches at a time: once for the statistics of the training
patches, once to scale and write. Memory holds one block and the tags, however many sounds.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import h5py
import numpy as np

from tagalign.audio.file import PatchShard
from tagalign.errors import InputError
from tagalign.pairs.file import Pairs, TrainingFile
from tagalign.pairs.scaling import Range, Scaling
from tagalign.pairs.split import listed_validation, published_validation, stratified_validation
from tagalign.progress import Progress
from tagalign.tags.file import TagSets

BLOCK = 256  # patches in memory at once


class Shards(NamedTuple):
    """The patch shards in the order of their first id, which no caller can change."""

    paths: list[str | os.PathLike]
    ids: list[list[str]]
    front_end: dict
    failures: dict[str, str]


def run(
    output: str | os.PathLike,
    tags: str | os.PathLike,
    patches: Sequence[str | os.PathLike],
    sections: Mapping,
) -> TrainingFile:
    """Write the training file.

    Parameters
    ----------
    output
        The file to write.
    tags
        File of stage ``tags``.
    patches
        All files of stage ``patches``, in any order.
    sections
        Holds the resolved section ``pairs``.

    Returns
    -------
    TrainingFile
        What was written, without the patches.

    Raises
    ------
    InputError
        Shards or tags do not belong together, no sound has both a patch and tags, a patch holds
        values that are not finite, or the list of validation ids cannot be used.
    """
    settings = sections["pairs"]
    tag_sets, shards = TagSets.read(tags), read_shards(patches)
    rows = dict(zip(tag_sets.id, tag_sets.tags, strict=True))
    ids, failures = match(rows, dict(tag_sets.failed), shards)
    groups = tag_sets.group and dict(zip(tag_sets.id, tag_sets.group, strict=True))
    validation = choose_validation(ids, rows, groups, settings)
    part_of = dict(zip(ids, validation.tolist(), strict=True))
    hidden = choose_hidden(len(tag_sets.vocabulary), settings)
    part_of, rows, failures = hide(hidden, part_of, rows, failures)
    made = TrainingFile(
        config=sections,
        tags_per_sound=settings["tags_per_sound"],
        front_end=shards.front_end,
        cleaning=tag_sets.cleaning,
        scaling=_measure(shards, part_of, settings),
        vocabulary=tag_sets.vocabulary,
        hidden=hidden if len(hidden) else None,
        train=_part(part_of, False, rows, groups, settings),
        validation=_part(part_of, True, rows, groups, settings),
        failed=failures,
    )
    inputs = {f"patches/{number:04}": path for number, path in enumerate(shards.paths)}
    if settings["validation_ids"]:
        inputs["validation_ids"] = settings["validation_ids"]
    shape = (shards.front_end["n_mels"], shards.front_end["n_frames"])
    with made.write_around_patches(
        output, shape, inputs=inputs | {"tags": tags}, seed=settings["seed"]
    ) as targets:
        _write_patches(targets, made, shards, part_of)
    return made


def read_shards(paths: Sequence[str | os.PathLike]) -> Shards:
    """Read the ids and the common front end of the files of stage `patches`.

    Raises
    ------
    InputError
        Two shards hold the same sound or were made with different front ends.
    """
    found, failures, first = [], {}, None
    owner = {}
    for path in paths:
        shard = PatchShard.read(path, without=["log_mel"])
        failures |= dict(shard.failed)
        first = first or (path, shard.front_end)
        if shard.front_end != first[1]:
            raise InputError(
                f"{path} was made with other `patches` settings than {first[0]}; make both again"
                " from one configuration"
            )
        for identifier in shard.id:
            if owner.setdefault(identifier, path) != path:
                raise InputError(
                    f"sound {identifier} is in {owner[identifier]} and in {path}; give each shard"
                    " of one catalogue once"
                )
        found.append((shard.id, path))
    found.sort(key=lambda shard: shard[0][:1])
    return Shards([path for _, path in found], [ids for ids, _ in found], first[1], failures)


def match(
    rows: Mapping[str, np.ndarray], untagged: Mapping[str, str], shards: Shards
) -> tuple[list[str], list[tuple[str, str]]]:
    """The sounds with both patch and tags, and those with only one of them and why.

    Parameters
    ----------
    rows
        Id -> tag set.
    untagged
        Id -> why a sound has no tag set.
    shards
        What `read_shards` gave.

    Returns
    -------
    ids : list of str
        Sorted.
    failures : list of (str, str)
        Id and reason, sorted.

    Raises
    ------
    InputError
        No sound has both.
    """
    with_patch = {identifier for ids in shards.ids for identifier in ids}
    both = sorted(with_patch & rows.keys())
    if not with_patch and shards.failures:
        identifier = min(shards.failures)
        raise InputError(
            f"none of the {len(shards.failures)} sounds could be used; one of them,"
            f" {identifier}: {shards.failures[identifier]}"
        )
    if not both:
        raise InputError(
            f"no sound has both a patch ({len(with_patch)}) and tags ({len(rows)}); are the"
            " tags and the patches of one catalogue?"
        )
    failures = {
        identifier: "no patch: " + shards.failures.get(identifier, "in none of the shards")
        for identifier in rows.keys() - with_patch
    } | {
        identifier: untagged.get(identifier, "not in the file of tags")
        for identifier in with_patch - rows.keys()
    }
    return both, sorted(failures.items())


def choose_validation(
    ids: Sequence[str],
    rows: Mapping[str, np.ndarray],
    groups: Mapping[str, str] | None,
    settings: Mapping,
) -> np.ndarray:
    """Which of `ids` are for validation, as the configuration section ``pairs`` says."""
    if settings["validation_ids"]:
        return listed_validation(ids, settings["validation_ids"])
    if settings["split"] == "published":
        return published_validation(ids)
    tag_sets = [rows[identifier] for identifier in ids]
    names = groups and [groups[identifier] for identifier in ids]
    share, seed = settings["validation_share"], settings["seed"]
    return stratified_validation(ids, tag_sets, share, seed, names)


def choose_hidden(size: int, settings: Mapping) -> np.ndarray:
    """Indices of the tags of a vocabulary that training does not see, as ``pairs`` says."""
    count = round(settings["hidden_tags"] * size)
    random = np.random.default_rng([settings["seed"], size])
    return np.sort(random.permutation(size)[:count]).astype(np.int32)


def hide(
    hidden: np.ndarray,
    part_of: Mapping[str, bool],
    rows: Mapping[str, np.ndarray],
    failures: Sequence[tuple[str, str]],
) -> tuple[dict[str, bool], dict[str, np.ndarray], list[tuple[str, str]]]:
    """Take hidden tags out of the tag sets of training, and sounds that then have none.

    Parameters
    ----------
    hidden
        Indices of the tags.
    part_of
        Id -> whether the sound is for validation; these keep all their tags.
    rows
        Id -> tag set.
    failures
        Id and reason of the sounds that are left out already.

    Returns
    -------
    part_of, rows, failures
        As they are without the hidden tags.

    Raises
    ------
    InputError
        No training sound is left.
    """
    visible = {
        identifier: rows[identifier][~np.isin(rows[identifier], hidden)]
        for identifier, validation in part_of.items()
        if not validation
    }
    lost = [identifier for identifier, row in visible.items() if not len(row)]
    if len(lost) == len(visible):
        raise InputError("no training sound has a tag that is not hidden; lower pairs.hidden_tags")
    gone = set(lost)
    kept = {name: part for name, part in part_of.items() if name not in gone}
    reasons = [(identifier, "hidden tags only") for identifier in lost]
    return kept, {**rows, **visible}, sorted([*failures, *reasons])


def _part(
    part_of: Mapping[str, bool],
    wanted: bool,
    rows: Mapping[str, np.ndarray],
    groups: Mapping[str, str] | None,
    settings: Mapping,
) -> Pairs:
    """The training or the validation sounds, their tags and groups, without the patches."""
    ids = [identifier for identifier, validation in part_of.items() if validation is wanted]
    tags = [rows[identifier] for identifier in ids]
    if settings["tag_order"] == "vocabulary":
        tags = [np.sort(row) for row in tags]
    return Pairs(ids, tags, None, groups and [groups[identifier] for identifier in ids])


def _write_patches(
    targets: tuple[h5py.Dataset, h5py.Dataset],
    made: TrainingFile,
    shards: Shards,
    part_of: Mapping[str, bool],
) -> None:
    """Scale the patches and write each into the row of its sound."""
    parts = (made.train, made.validation)
    row_of = {identifier: row for part in parts for row, identifier in enumerate(part.id)}
    with Progress("pairs: scaling and writing", len(part_of)) as progress:
        for names, patches in _blocks(shards, part_of):
            held_out = np.array([part_of[identifier] for identifier in names])
            for part, target in enumerate(targets):
                members = np.flatnonzero(held_out == part)
                scaled = made.scaling.apply(patches[members], validation=bool(part))
                for row, patch in zip(members, scaled.astype(np.float16), strict=True):
                    target[row_of[names[row]]] = patch
            progress.update(len(names))


def _measure(shards: Shards, part_of: Mapping[str, bool], settings: Mapping) -> Scaling:
    """Minimum and maximum of the training patches alone."""
    seen = Range(settings["scaling"])
    with Progress("pairs: training statistics", len(part_of)) as progress:
        for names, patches in _blocks(shards, part_of):
            bad = ~np.isfinite(patches).all(axis=(1, 2))
            if bad.any():
                raise InputError(
                    f"the patch of sound {names[int(bad.argmax())]} holds values that are not"
                    " finite; make its shard again or leave the sound out"
                )
            training = [row for row, identifier in enumerate(names) if not part_of[identifier]]
            if training:
                seen.update(patches[training])
            progress.update(len(names))
    return seen.scaling(settings["clip"])


def _blocks(shards: Shards, wanted: Mapping[str, bool]) -> Iterator[tuple[list[str], np.ndarray]]:
    """Ids and log-mel patches [shape=(n, n_mels, n_frames)] of the wanted sounds, in blocks."""
    for path, ids in zip(shards.paths, shards.ids, strict=True):
        starts = range(0, len(ids), BLOCK)
        for start, block in zip(starts, PatchShard.blocks(path, BLOCK), strict=True):
            names = ids[start : start + BLOCK]
            kept = [row for row, identifier in enumerate(names) if identifier in wanted]
            if kept:
                yield [names[row] for row in kept], block[kept]
