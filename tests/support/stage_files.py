"""Small stage files for tests, written by the types that own them."""

import contextlib

import h5py
import numpy as np

from tagalign import store
from tagalign.audio.file import PatchShard
from tagalign.freesound.file import AudioShard
from tagalign.pairs.file import Pairs, TrainingFile
from tagalign.pairs.scaling import Scaling
from tagalign.sources.catalogue import Catalogue
from tagalign.tags.file import TagSets


def write_catalogue(path, sounds, config=None):
    """Write a catalogue of mappings: ``id``, and what else of a folder's sound matters."""
    plain = {"shard": 0, "tags": [], "file": "", "sha256": ""}
    plain |= {"name": "", "username": "", "license": "", "url": ""}
    rows = [plain | sound for sound in sounds]
    names = ["file", "sha256", "name", "username", "license", "url"]
    Catalogue.write_rows(path, rows, names=names, failed=[], config=config or {})
    return path


def write_tags(path, rows, vocabulary, failed=(), cleaning=None):
    """Write {id: tag indices} as the stage `tags` does."""
    TagSets(
        config={"tags": cleaning or {}},
        id=list(rows),
        tags=list(rows.values()),
        vocabulary=list(vocabulary),
        counts=np.bincount(
            np.concatenate([[], *rows.values()]).astype(int), minlength=len(vocabulary)
        ),
        dropped_tag=[],
        dropped_reason=[],
        dropped_count=[],
        failed=list(failed),
    ).write(path)
    return path


def write_patches(path, patches, front_end, failed=()):
    """Write {id: patch} as the stage `patches` does."""
    shape = (0, front_end["n_mels"], front_end["n_frames"])
    PatchShard(
        config={"patches": front_end},
        id=list(patches),
        log_mel=np.stack(list(patches.values())) if patches else np.zeros(shape),
        duration=np.ones(len(patches)),
        failed=list(failed),
    ).write(path)
    return path


def write_audio(path, sounds, failed=()):
    """Write {id: encoded bytes} as the stage `audio` does."""
    AudioShard(
        config={"source": {"kind": "freesound"}},
        id=list(sounds),
        preview=[f"https://example.org/{identifier}.ogg" for identifier in sounds],
        audio=[np.frombuffer(sound, np.uint8) for sound in sounds.values()],
        failed=list(failed),
    ).write(path)
    return path


def write_training_file(path, train, validation=(), vocabulary=("dog", "rain"), scaling=None):
    """Write a training file of these sounds, with one small patch and one tag each."""

    def pairs(ids):
        ids = list(ids)
        return Pairs(ids, [[0] for _ in ids], np.zeros((len(ids), 4, 4)))

    TrainingFile(
        config={"pairs": {"tag_order": "given"}},
        tags_per_sound=1,
        front_end={"n_mels": 4, "n_frames": 4},
        cleaning={},
        scaling=scaling or Scaling(np.zeros(4), np.ones(4)),
        vocabulary=list(vocabulary),
        train=pairs(train),
        validation=pairs(validation),
        failed=[],
    ).write(path)
    return path


@contextlib.contextmanager
def edited(path):
    """Change a sealed file in place, so that it is whole again afterwards."""
    with h5py.File(path, "r+") as file:
        yield file
    store.reseal(path)
