"""`tagalign embed` on a folder with a narrow encoder: is it bound by decoding?"""

import itertools
import tempfile
from pathlib import Path

from rows import Row, rates

from embedding import CORPUS, untrained
from tagalign.audio.decode import decode
from tagalign.cli.options import cores
from tagalign.embedding.embedder import load
from tagalign.embedding.folder import embed_folder
from tagalign.embedding.listing import Sound
from tagalign.parallel import ordered_map

SOUNDS = 400


def run() -> list[Row]:
    """The clips of ESC-10 in the bundled corpus, some of them twice."""
    clips = itertools.cycle(sorted(CORPUS.glob("*_A.ogg")))
    sounds = [Sound(str(number), path) for number, path in zip(range(SOUNDS), clips)]  # noqa: B905
    jobs = cores()
    with tempfile.TemporaryDirectory() as name:
        model, output = Path(name) / "model.h5", Path(name) / "out.h5"
        untrained(channels=16).save(model, stage="train", config={}, inputs={})
        embedder = load(model)

        def folder() -> int:
            return embed_folder(output, embedder, sounds, model=model, jobs=jobs).count

        def decoding() -> int:
            paths = (sound.path for sound in sounds)
            return sum(1 for _ in ordered_map(decode_only, paths, jobs))

        def one_by_one() -> int:
            return len([embedder.embed(sound.path) for sound in sounds])

        ours, alone, single = rates(folder, decoding, one_by_one, seconds=1)
    what = f"folder, 16 channels, {jobs} cores"
    return [
        Row(what, ours, "clips/s", alone, f"decoding alone, {jobs} processes"),
        Row(what, ours, "clips/s", single, "embed() one file at a time"),
    ]


def decode_only(path: Path) -> int:
    """Decode a sound and send nothing back."""
    return decode(path, 22050).size
