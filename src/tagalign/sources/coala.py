"""The source `coala`: the authors' published training files as ``pairs.h5`` and ``tags.h5``.

https://zenodo.org/records/3887261 has two HDF5 files, training and validation. Their group
``dataset`` holds ``id`` (N, 1), ``data`` (N, 96, 96), log-mel patches (mel, time) scaled to
[0, 1] per column, and ``label`` (N, 1000), the tags as a multi-hot vector over the published
vocabulary. Everything is streamed: the training file has some 6.5 GB.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from tagalign.config import load as config
from tagalign.download.file import check_md5, download
from tagalign.errors import ConfigError, InputError
from tagalign.pairs.file import Pairs, TrainingFile
from tagalign.progress import Progress
from tagalign.release.files import find, read_scaler, read_vocabulary
from tagalign.release.reference import REFERENCE
from tagalign.sources.exclude import excluded_ids
from tagalign.tags.file import TagSets

BLOCK = 256  # sounds in memory at once
LARGEST = 100.0  # beyond this in size a value cannot come from scaling to [0, 1]
PARTS = ("train", "validation")


class Part(NamedTuple):
    """What is kept of one of the two files."""

    path: Path
    rows: np.ndarray  # numbers of the rows that are kept
    ids: list[str]  # of these rows
    tags: list[np.ndarray]  # of these rows, indices into the vocabulary in ascending order


def run(
    output: str | os.PathLike,
    tags_output: str | os.PathLike,
    sections: Mapping,
    directory: str | os.PathLike,
) -> None:
    """Make the training file and the file of tags from the published ones.

    Parameters
    ----------
    output, tags_output
        Files to write, of stage ``pairs`` and ``tags``.
    sections
        Resolved sections ``source``, ``patches`` and ``pairs``.
    directory
        Where downloads go. What is there already is only checked.

    Raises
    ------
    ConfigError
        The configuration describes another front end than that of the published patches.
    InputError
        A file is unavailable, or is not what it should be.
    """
    _check_settings(sections)
    reference = config.resolve_sections(REFERENCE, REFERENCE)
    patches = reference["patches"]
    shape = (patches["n_mels"], patches["n_frames"])
    here = Path(__file__).parent  # no vocabulary lies there, so that the package's is taken
    vocabulary = read_vocabulary(find(here, "id2token_top_1000.json"))
    scaling = read_scaler(find(here, "scaler_top_1000.json"), shape[1])
    cleaning = reference["tags"] | {"vocabulary_size": len(vocabulary)}
    excluded = excluded_ids(sections["source"])
    paths = {part: _get(sections["source"]["coala"], part, Path(directory)) for part in PARTS}
    failures: dict[str, str] = {}
    parts: dict = {}
    for name, path in paths.items():
        parts[name] = _read_labels(path, shape, len(vocabulary), excluded, failures)
    both = sorted(set(parts["train"].ids) & set(parts["validation"].ids))
    if both:
        raise InputError(
            f"sound {both[0]} is in {paths['train']} and in {paths['validation']}; training must"
            " not see validation sounds"
        )
    left_out = sorted(failures.items())
    _write_tags(tags_output, paths, parts, vocabulary, cleaning, left_out)
    read = ("scaling", "clip", "tag_order", "tags_per_sound")
    made = TrainingFile(
        config={
            "pairs": {key: sections["pairs"][key] for key in read},
            "source": {"kind": "coala"},
        },
        tags_per_sound=sections["pairs"]["tags_per_sound"],
        front_end=patches,
        cleaning=cleaning,
        scaling=scaling,
        vocabulary=vocabulary,
        train=Pairs(parts["train"].ids, parts["train"].tags, None),
        validation=Pairs(parts["validation"].ids, parts["validation"].tags, None),
        failed=left_out,
    )
    with made.write_around_patches(output, shape, inputs=paths) as targets:
        for name, target in zip(PARTS, targets, strict=True):
            _copy_patches(parts[name], target, f"coala {name}")


def _check_settings(sections: Mapping) -> None:
    """The rest of the run must cut and scale sounds as the published patches were."""
    wanted = config.resolve_sections({"patches": REFERENCE["patches"]}, ["patches"])
    wanted["pairs"] = {"scaling": "column", "clip": "low", "tag_order": "vocabulary"}
    for section, keys in wanted.items():
        for key, value in keys.items():
            if key not in ("seed", "silent") and sections[section][key] != value:
                raise ConfigError(
                    f"{section}.{key} = {sections[section][key]!r}, but the published patches of"
                    f" source.kind = 'coala' were made with {value!r}; start from"
                    " config/reference.yaml"
                )


def _get(settings: Mapping, part: str, directory: Path) -> Path:
    """The file of a part: downloaded if the configuration gives a URL."""
    place = settings[part]
    if not place.startswith(("http://", "https://")):
        if not Path(place).is_file():
            raise InputError(f"{place} does not exist; correct source.coala.{part}")
        check_md5(place, settings[f"{part}_md5"], "correct source.coala")
        return Path(place)
    target = directory / place.rpartition("/")[2].partition("?")[0]
    download(place, target, settings[f"{part}_md5"])
    return target


def _read_labels(
    path: Path,
    shape: tuple[int, int],
    vocabulary_size: int,
    excluded: Mapping[str, str],
    failures: dict[str, str],
) -> Part:
    """Check a published file; which of its rows to keep, and their tags."""
    with _open(path) as file:
        group = _group(path, file, shape, vocabulary_size)
        ids = group["id"][()].reshape(-1)
        names = [str(int(identifier)) for identifier in ids]
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise InputError(f"{path}: sound {twice} occurs twice; get the file again")
        rows, tags = [], []
        for first in range(0, len(names), BLOCK):
            labels = group["label"][first : first + BLOCK] > 0
            for row, label in enumerate(labels, first):
                reason = excluded.get(names[row])
                if reason is None and not label.any():
                    reason = "no tag of the vocabulary"
                if reason is None:
                    rows.append(row)
                    tags.append(np.flatnonzero(label).astype(np.int32))
                else:
                    failures[names[row]] = reason
    if not rows:
        raise InputError(f"{path} has no sound that could be used")
    return Part(path, np.array(rows), [names[row] for row in rows], tags)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[h5py.File]:
    """A published file, damage to which can show whenever something is read."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except OSError as error:
        raise InputError(
            f"{path} is not a readable HDF5 file ({error}); delete it to download it again"
        ) from None


def _group(path: Path, file: h5py.File, shape: tuple[int, int], vocabulary_size: int) -> h5py.Group:
    """The group ``dataset``, if its arrays have the shapes that were published."""
    wanted = {"id": (), "data": shape, "label": (vocabulary_size,)}
    group = file.get("dataset")
    if not isinstance(group, h5py.Group) or not set(wanted) <= set(group):
        raise InputError(f"{path} has no group 'dataset' with id, data and label; get it again")
    count = len(group["id"])
    for name, rest in wanted.items():
        found = group[name].shape
        if found[0] != count or (rest and found[1:] != rest):
            raise InputError(
                f"{path}: dataset/{name} has shape {found}, wanted ({count}, {rest}); is it one of"
                " the published files?"
            )
    return group


def _copy_patches(part: Part, target: h5py.Dataset, label: str) -> None:
    with Progress(label, len(part.rows)) as progress:
        for first, patches in _patches(part):
            bad = ~(np.abs(patches) < LARGEST).all(axis=(1, 2))  # also true of NaN
            if bad.any():
                raise InputError(
                    f"{part.path}: the patch of sound {part.ids[first + int(bad.argmax())]} holds"
                    " values that are not scaled or not finite; get the file again"
                )
            target[first : first + len(patches)] = patches.astype(np.float16)
            progress.update(len(patches))


def _patches(part: Part) -> Iterator[tuple[int, np.ndarray]]:
    """Number of the first and values of each block of kept patches."""
    with _open(part.path) as file:
        data = file["dataset/data"]
        for first in range(0, len(part.rows), BLOCK):
            rows = part.rows[first : first + BLOCK]
            # One slice and a selection in memory: HDF5 is slow at picking rows.
            yield first, data[rows[0] : rows[-1] + 1][rows - rows[0]]


def _write_tags(
    output: str | os.PathLike,
    paths: Mapping[str, Path],
    parts: Mapping[str, Part],
    vocabulary: list[str],
    cleaning: Mapping,
    failures: list[tuple[str, str]],
) -> None:
    """The file of stage ``tags``, for Word2Vec."""
    ids = [identifier for name in PARTS for identifier in parts[name].ids]
    tags = [row for name in PARTS for row in parts[name].tags]
    counts = np.bincount(np.concatenate(tags), minlength=len(vocabulary))
    TagSets(
        config={"tags": cleaning},
        id=ids,
        tags=tags,
        vocabulary=vocabulary,
        counts=counts,
        dropped_tag=[],
        dropped_reason=[],
        dropped_count=[],
        failed=failures,
    ).write(output, inputs=paths)
