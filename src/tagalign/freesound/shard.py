"""The stage `audio`: download the sounds of one shard into one file of encoded bytes.

While a shard is under way each sound goes into ``JOURNAL/audio/SHARD.sqlite`` as soon as it is
there, so a stop loses only what was under way. A finished file is linked there as well: a
stage's output may be deleted and made again, the sounds must not be downloaded again.
"""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from tagalign import store
from tagalign.freesound.api import FreesoundError
from tagalign.freesound.kept import Kept, preview_name
from tagalign.freesound.previews import download
from tagalign.sources.journal import open_database, sole_use
from tagalign.sources.shards import shard_path


def write_audio(
    output: str | os.PathLike,
    catalogue: str | os.PathLike,
    shard: int,
    settings: Mapping,
    journal: str | os.PathLike | None,
) -> list[tuple[str, str]]:
    """Download what a shard does not have yet, and write its file.

    Parameters
    ----------
    output
        The file to write: ``id``, ``preview`` and ``audio`` (ragged, uint8) of each sound in
        the order of the catalogue, and ``failed``.
    catalogue
        A catalogue of the source freesound, or the file of this shard.
    shard
        Number of the shard.
    settings
        The section ``source.freesound``.
    journal
        Directory that keeps what was downloaded, or None to keep nothing.

    Returns
    -------
    list of (id, reason)
        The sounds that could not be had. When the file is made again they are tried again.

    Raises
    ------
    FreesoundError
        The host of the previews is down; what came is kept.
    InputError
        `catalogue` is no catalogue of Freesound.
    """
    with contextlib.ExitStack() as stack:
        if journal is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        else:
            directory = Path(journal) / "audio"
        stack.enter_context(sole_use(directory, f"{shard:04d}.lock"))
        finished = shard_path(directory, shard)
        under_way = finished.with_suffix(".sqlite")
        before = store.read(finished, stage="audio") if finished.exists() else nullcontext()
        sounds = _read_shard(catalogue, shard)
        with open_database(under_way) as table, before as file:
            kept = Kept(table, file)
            failures = download(sounds, kept, settings, f"audio {shard:04d}")
            _write(output, catalogue, sounds, kept, failures)
        if settings["keep_audio"] and journal is not None:
            with store.replacing(finished) as part:
                _link(Path(output), part)
        else:
            finished.unlink(missing_ok=True)
        for path in directory.glob(f"{under_way.name}*"):  # and what SQLite puts beside it
            path.unlink()
    return sorted(failures.items())


def _read_shard(catalogue: str | os.PathLike, shard: int) -> dict[str, str]:
    """Id -> URL of the preview, in the order of the catalogue."""
    with store.read(catalogue, stage="catalogue") as file:
        rows = np.flatnonzero(file["shard"][()] == shard)
        if "preview" not in file:
            raise FreesoundError(
                f"{catalogue} lists no previews; stage audio needs a catalogue of Freesound"
            )
        if not rows.size:
            return {}
        span = slice(rows[0], rows[-1] + 1)  # a catalogue is sorted by shard
        columns = [store.read_strings(file[name], span) for name in ("id", "preview")]
        return dict(zip(*columns, strict=True))


def _write(output, catalogue, sounds, kept: Kept, failures: Mapping[str, str]) -> None:
    good = [identifier for identifier in sounds if identifier not in failures]
    keys = [(identifier, preview_name(sounds[identifier])) for identifier in good]
    offsets = np.cumsum([0, *map(kept.size, keys)])
    # The configuration says how fast to download; what is downloaded stands in the catalogue.
    with store.create(
        output,
        stage="audio",
        config={"source": {"kind": "freesound"}},
        inputs={"catalogue": catalogue},
        packages=["soundfile"],
    ) as file:
        store.write_strings(file, "id", good)
        store.write_strings(file, "preview", [sounds[identifier] for identifier in good])
        file["audio/offsets"] = offsets.astype(np.int64)
        values = file.create_dataset("audio/values", (int(offsets[-1]),), np.uint8)
        for key, start, stop in zip(keys, offsets[:-1], offsets[1:], strict=True):
            values[start:stop] = kept.audio(key)
        order = [identifier for identifier in sounds if identifier in failures]
        store.write_failures(file, [(identifier, failures[identifier]) for identifier in order])


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        with open(source, "rb") as read, open(target, "wb") as write:
            for block in iter(lambda: read.read(2**20), b""):
                write.write(block)
