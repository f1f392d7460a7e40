"""Stream the patches of all shards into the training file (stage `pairs`).

The shards are read twice, a block of patches at a time: once for the statistics of the training
patches, once to scale and write. Memory holds one block and the tags, however many sounds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import h5py
import numpy as np

from tagalign import store
from tagalign.errors import InputError
from tagalign.pairs.scaling import Range, Scaling
from tagalign.pairs.split import listed_validation, published_validation, stratified_validation
from tagalign.progress import Progress

BLOCK = 256  # patches in memory at once


class Tags(NamedTuple):
    """The tags file: sound -> indices, and why sounds were left out of it."""

    rows: dict[str, np.ndarray]
    vocabulary: list[str]
    cleaning: dict
    failures: dict[str, str]


class Shards(NamedTuple):
    """The patch shards in the order of their first id, which no caller can change."""

    paths: list[str]
    ids: list[list[str]]
    shape: tuple[int, int]
    front_end: dict
    failures: dict[str, str]


def read_tags(path: str) -> Tags:
    """Read the file of stage `tags`."""
    with store.read(path, stage="tags") as file:
        ids = store.read_strings(file["id"])
        rows = store.read_ragged(file["tags"])
        return Tags(
            dict(zip(ids, rows, strict=True)),
            store.read_strings(file["vocabulary"]),
            store.attributes(file)["config"]["tags"],
            dict(store.read_failures(file)),
        )


def read_shards(paths: Sequence[str]) -> Shards:
    """Read the ids and the common front end of the files of stage `patches`.

    Raises
    ------
    InputError
        Two shards hold the same sound or were made with different front ends.
    """
    found, failures, first = [], {}, None
    owner = {}
    for path in paths:
        with store.read(path, stage="patches") as file:
            ids = store.read_strings(file["id"])
            made = (file["log_mel"].shape[1:], store.attributes(file)["config"]["patches"])
            failures |= dict(store.read_failures(file))
        first = first or (path, made)
        if made != first[1]:
            raise InputError(
                f"{path} was made with other `patches` settings than {first[0]}; make both again"
                " from one configuration"
            )
        for identifier in ids:
            if owner.setdefault(identifier, path) != path:
                raise InputError(
                    f"sound {identifier} is in {owner[identifier]} and in {path}; give each shard"
                    " of one catalogue once"
                )
        found.append((ids, path))
    found.sort(key=lambda shard: shard[0][:1])
    shape, front_end = first[1]
    return Shards(
        [path for _, path in found], [ids for ids, _ in found], shape, front_end, failures
    )


def match(tags: Tags, shards: Shards) -> tuple[list[str], list[tuple[str, str]]]:
    """The sounds with both patch and tags, and those with only one of them and why.

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
    both = sorted(with_patch & tags.rows.keys())
    if not with_patch and shards.failures:
        identifier = min(shards.failures)
        raise InputError(
            f"none of the {len(shards.failures)} sounds could be used; one of them,"
            f" {identifier}: {shards.failures[identifier]}"
        )
    if not both:
        raise InputError(
            f"no sound has both a patch ({len(with_patch)}) and tags ({len(tags.rows)}); are the"
            " tags and the patches of one catalogue?"
        )
    failures = {
        identifier: "no patch: " + shards.failures.get(identifier, "in none of the shards")
        for identifier in tags.rows.keys() - with_patch
    } | {
        identifier: tags.failures.get(identifier, "not in the file of tags")
        for identifier in with_patch - tags.rows.keys()
    }
    return both, sorted(failures.items())


def choose_validation(ids: Sequence[str], tags: Tags, settings: Mapping) -> np.ndarray:
    """Which of `ids` are for validation, as the configuration section ``pairs`` says."""
    if settings["validation_ids"]:
        return listed_validation(ids, settings["validation_ids"])
    if settings["split"] == "published":
        return published_validation(ids)
    rows = [tags.rows[identifier] for identifier in ids]
    return stratified_validation(ids, rows, settings["validation_share"], settings["seed"])


def write_pairs(
    file: h5py.File,
    tags: Tags,
    shards: Shards,
    ids: Sequence[str],
    validation: np.ndarray,
    settings: Mapping,
) -> None:
    """Write the groups ``train`` and ``validation``, the scaling and the vocabulary.

    Parameters
    ----------
    file
        The new training file.
    tags, shards
        What `read_tags` and `read_shards` gave.
    ids
        Sounds in the order of the rows.
    validation
        True where a sound is for validation [shape=(len(ids),)].
    settings
        The configuration section ``pairs``.

    Raises
    ------
    InputError
        A patch holds a value that is not a number or infinite.
    """
    part_of = dict(zip(ids, validation.tolist(), strict=True))
    scaling = _measure(shards, part_of, settings)
    scaling.write(file)
    store.write_strings(file, "vocabulary", tags.vocabulary)
    file.attrs["tags_per_sound"] = settings["tags_per_sound"]
    file.attrs["front_end"] = store.canonical(shards.front_end)
    file.attrs["cleaning"] = store.canonical(tags.cleaning)

    targets, row_of = [], {}
    for name, wanted in (("train", False), ("validation", True)):
        members = [identifier for identifier in ids if part_of[identifier] is wanted]
        row_of |= {identifier: row for row, identifier in enumerate(members)}
        group = file.create_group(name)
        store.write_strings(group, "id", members)
        rows = [tags.rows[identifier] for identifier in members]
        if settings["tag_order"] == "vocabulary":
            rows = [np.sort(row) for row in rows]
        store.write_ragged(group, "tags", rows, "int32")
        # Every row is written below, so HDF5 need not fill gigabytes with zeros first.
        shape = (len(members), *shards.shape)
        targets.append(group.create_dataset("patches", shape, "float16", fill_time="never"))
    with Progress("pairs: scaling and writing", len(ids)) as progress:
        for names, patches in _blocks(shards, part_of):
            held_out = np.array([part_of[identifier] for identifier in names])
            for part, target in enumerate(targets):
                members = np.flatnonzero(held_out == part)
                scaled = scaling.apply(patches[members], validation=bool(part))
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
        with store.read(path, stage="patches") as file:
            for start in range(0, len(ids), BLOCK):
                names = ids[start : start + BLOCK]
                kept = [row for row, identifier in enumerate(names) if identifier in wanted]
                if kept:
                    block = file["log_mel"][start : start + BLOCK]
                    yield [names[row] for row in kept], block[kept]
