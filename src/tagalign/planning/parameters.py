"""Parameters of the rules: sections of the configuration as JSON, and contents of named files."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from tagalign import store
from tagalign.config import load as configuration
from tagalign.errors import InputError
from tagalign.sources import SOURCES


def sections(settings: Mapping, *names: str, without: Iterable[str] = ()) -> str:
    """The sections that a stage reads as JSON, less what cannot change its result.

    A key in `without` goes from all of them, one like ``"pairs.seed"`` from that section.
    """
    picked = configuration.without_places(configuration.sections(settings, *names))
    for name, section in picked.items():
        for key in without:
            section.pop(key.removeprefix(f"{name}."), None)
    return json.dumps(picked, sort_keys=True)


def places(settings: Mapping, *names: str) -> str:
    """The rest of these sections: paths, rates and hardware. Never a parameter that is compared."""
    picked = configuration.sections(settings, *names)
    return json.dumps(configuration.only_places(picked), sort_keys=True)


def other_sources(settings: Mapping) -> set[str]:
    """Subsections of `source` that a run with another kind of source does not read."""
    return set(SOURCES) - {settings["source"]["kind"]}


def contents(*paths: str | os.PathLike | None) -> list[str]:
    """SHA-256 of files that the configuration names: their content matters, not their place.

    Raises
    ------
    InputError
        One cannot be read.
    """
    return [_content(path) for path in paths if path]


def _content(path: str | os.PathLike) -> str:
    try:
        return store.digest(path)
    except OSError as error:
        raise InputError(
            f"cannot read {path}, named in the configuration: {error.strerror}"
        ) from None


def named_files(settings: Mapping, name: str) -> list[str]:
    """Files (not directories) that a section of the configuration names."""
    values = json.loads(places(settings, name)).get(name, {}).values()
    paths = [path for path in values if isinstance(path, str) and "://" not in path]
    return [path for path in paths if not Path(path).is_dir()]


def checkpoint_directory(results: str, settings: Mapping, system: str, seed: str) -> str:
    """Where a training is saved: a place for each configuration of what it is made of.

    Only a training of the same data goes on from there; which data these are, the checkpoint
    itself knows.
    """
    names = ["source", "patches", "tags", "word2vec", "pairs", "model", "train"]
    key = hashlib.sha256(sections(settings, *names).encode()).hexdigest()[:12]
    return f"{results}/checkpoints/{system}/{seed}-{key}"
