"""The files of a run, found by their content.

Stage files know their inputs by hash only, so that a run can be moved; here a hash becomes
the file that has it now.
"""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

from tagalign.config import load as configuration
from tagalign.errors import InputError
from tagalign.planning.layout import Layout
from tagalign.store import attributes, damaged, digest, read


class Run:
    """A run: ``results/RUN``, the data that it was made from, and its configuration.

    Parameters
    ----------
    directory
        ``results/RUN``, with the ``config.yaml`` that the workflow writes there.

    Attributes
    ----------
    settings : dict
        The run's configuration.
    home : Path
        The working directory of the workflow, to which the paths in `settings` are relative.
    """

    def __init__(self, directory: str | os.PathLike):
        self.directory = Path(directory)
        path = self.directory / "config.yaml"
        if not path.is_file():
            raise InputError(
                f"{self.directory} is not the directory of a run: it has no config.yaml; name one"
                " such as results/demo, after the workflow has made its report"
            )
        self.settings = configuration.load(path)
        self.home = self.directory.absolute().parents[1]
        self._digests: dict[Path, str] = {}
        self._holders: dict[str, Path] = {}

    @classmethod
    def of(cls, file: str | os.PathLike) -> "Run | None":
        """The run to which a file belongs, or None if it lies outside any."""
        file = Path(file).absolute()
        for directory in file.parents:
            if (directory / "config.yaml").is_file() and directory.parent.name == "results":
                return cls(_relative(directory))
        for configured in _runs_beside(file):
            run = cls(_relative(configured))
            if run.data.absolute() in file.parents:
                return run
        return None

    @functools.cached_property
    def layout(self) -> Layout:
        """Where the files of the run lie."""
        return Layout(self.settings, data=self.data, results=self.directory)

    @property
    def data(self) -> Path:
        """Directory of what was downloaded, and of the catalogue."""
        return _relative(self.home / "data" / configuration.data_name(self.settings))

    def stage_files(self) -> list[Path]:
        """All HDF5 files of the run and of its data, sorted.

        Checkpoints are none, nor is what is left of systems, seeds, tasks and shards that the
        run had before.
        """
        layout = self.layout
        paths = [Path(path) for stage in layout.stages() for path in layout.files(stage)]
        return sorted(path for path in paths if path.exists())

    def score_files(self) -> list[Path]:
        """The files from which the table is made."""
        return [path for path in map(Path, self.layout.files("evaluate")) if path.exists()]

    def source_files(self) -> list[Path]:
        """Files that the configuration names, tables and lists of ids, or their downloads."""
        named = configuration.only_places(self.settings)
        texts = list(_texts(named))
        paths = [Path(text) for text in texts if "://" not in text]
        downloads = [text.rpartition("/")[2].partition("?")[0] for text in texts if "://" in text]
        paths += [self.data.absolute() / name for name in downloads if name]
        paths = [path if path.is_absolute() else _relative(self.home / path) for path in paths]
        return [path for path in dict.fromkeys(paths) if path.is_file()]

    def digest(self, path: Path) -> str:
        """SHA-256 of a file, computed once."""
        if path not in self._digests:
            self._digests[path] = digest(path)
            self._holders.setdefault(self._digests[path], path)
        return self._digests[path]

    def inputs_of(self, path: Path) -> dict[str, str]:
        """Role -> SHA-256 of what a file was made from.

        A shard file records nothing, so that it stays the same when the rest of the catalogue
        changes; it comes from the catalogue beside it, and `verify` compares its rows.
        """
        recorded = read_attributes(path)["inputs"]
        catalogue = self.data / "catalogue.h5"
        if not recorded and path.parent.name == "shards" and catalogue.is_file():
            return {"rows of": self.digest(catalogue)}
        return recorded

    def find(self, role: str, wanted: str, near: Path) -> Path | None:
        """The file of the run or of its sources with this SHA-256.

        Files are read until it is found, those first that `role` and `near` suggest: the sounds
        of a whole run take minutes.
        """
        if wanted not in self._holders:
            words = set(role.replace("/", " ").split()) | set(near.parts[-3:]) | {near.stem}
            unread = [path for path in self.files if path not in self._digests]
            for path in sorted(unread, key=lambda path: -len(words & {*path.parts, path.stem})):
                if self.digest(path) == wanted:
                    break
        return self._holders.get(wanted)

    @functools.cached_property
    def made(self) -> list[Path]:
        """The stage files, as they were when first asked for."""
        return self.stage_files()

    @functools.cached_property
    def files(self) -> list[Path]:
        """Stage files and sources, as they were when first asked for."""
        return [*self.made, *self.source_files()]


def read_attributes(path: str | os.PathLike) -> dict:
    """Root attributes of a stage file.

    Raises
    ------
    InputError
        It is missing, damaged, not HDF5, or no stage file.
    """
    with read(path) as file:
        try:
            found = attributes(file)
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            raise damaged(path, f"its attributes: {' '.join(str(error).split())}") from None
    if "stage" not in found:
        raise InputError(f"{path} is HDF5 but was not made by a stage of tagalign")
    for name in ("config", "inputs", "versions"):
        if not isinstance(found.get(name), dict):
            raise damaged(path, f"it has no {name}")
    return found


def _runs_beside(file: Path) -> Iterator[Path]:
    """Runs in ``results`` beside the ``data`` directory that holds a file."""
    for directory in file.parents:
        if directory.name == "data":
            configured = sorted(directory.parent.glob("results/*/config.yaml"))
            yield from (path.parent for path in configured)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _relative(path: Path) -> Path:
    """Relative to the working directory where it lies below it, as users type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
