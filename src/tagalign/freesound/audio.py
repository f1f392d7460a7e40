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

from tagalign import store
from tagalign.freesound.api import FreesoundError
from tagalign.freesound.downloaded import Downloaded, preview_name
from tagalign.freesound.file import AudioShard
from tagalign.freesound.previews import download
from tagalign.sources.journal import open_database, sole_use
from tagalign.sources.shards import Shard, shard_path


def run(
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
        The file to write.
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
        before = AudioShard.open(finished) if finished.exists() else nullcontext()
        sounds = _previews(catalogue, shard)
        with open_database(under_way) as table, before as file:
            downloaded = Downloaded(table, file)
            failures = download(sounds, downloaded, settings, f"audio {shard:04d}")
            _write(output, catalogue, sounds, downloaded, failures)
        if settings["keep_audio"] and journal is not None:
            with store.replacing(finished) as part:
                _link(Path(output), part)
        else:
            finished.unlink(missing_ok=True)
        for path in directory.glob(f"{under_way.name}*"):  # and what SQLite puts beside it
            path.unlink()
    return sorted(failures.items())


def _previews(catalogue: str | os.PathLike, shard: int) -> dict[str, str]:
    """Id -> URL of the preview, in the order of the catalogue."""
    sounds = Shard.select(catalogue, shard)
    if sounds.preview is None:
        raise FreesoundError(
            f"{catalogue} lists no previews; stage audio needs a catalogue of Freesound"
        )
    return dict(zip(sounds.id, sounds.preview, strict=True))


def _write(output, catalogue, sounds, downloaded: Downloaded, failures: Mapping[str, str]) -> None:
    good = {identifier: url for identifier, url in sounds.items() if identifier not in failures}
    keys = [(identifier, preview_name(url)) for identifier, url in good.items()]
    AudioShard.write_sounds(
        output,
        good,
        [downloaded.size(key) for key in keys],
        map(downloaded.audio, keys),
        failed=[(name, failures[name]) for name in sounds if name in failures],
        # The configuration says how fast to download; what is downloaded, the catalogue.
        config={"source": {"kind": "freesound"}},
        inputs={"catalogue": catalogue},
    )


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        with open(source, "rb") as read, open(target, "wb") as write:
            for block in iter(lambda: read.read(2**20), b""):
                write.write(block)
