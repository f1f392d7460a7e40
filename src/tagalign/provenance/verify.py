"""Check that every file of a run follows from its inputs and its configuration."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tagalign import store
from tagalign.config import load as configuration
from tagalign.errors import TagalignError
from tagalign.planning.run import Run, read_attributes
from tagalign.progress import Progress
from tagalign.sources import find_source
from tagalign.sources.catalogue import Catalogue
from tagalign.sources.shards import write_shards
from tagalign.tasks import find_task
from tagalign.tasks.dataset import read_listing
from tagalign.tasks.stage_files import Dataset


def verify(directory: str | os.PathLike) -> tuple[int, list[str]]:
    """Walk a run from its sources to its table.

    Parameters
    ----------
    directory
        ``results/RUN``.

    Returns
    -------
    checked : int
        Number of files that were checked.
    problems : list of str
        One line for each thing that does not match; empty for a sound run.

    Raises
    ------
    InputError
        `directory` is not that of a run.
    """
    run = Run(directory)
    files = run.made
    problems: list[str] = []
    # All at once, so that no input has to be looked for.
    with Progress("read", len(run.files), unit="files") as progress:
        for path in run.files:
            run.digest(path)
            progress.update()
    with Progress("verify", len(files), unit="files") as progress:
        for path in files:
            problems += _check_file(run, path)
            progress.update()
    problems += _check_shards(run)
    problems += _check_sounds(run)
    problems += _check_clips(run)
    problems += _check_table(run)
    return len(files), problems


def _check_file(run: Run, path: Path) -> Iterator[str]:
    try:
        found = read_attributes(path)
    except TagalignError as error:
        yield str(error)
        return
    for role, wanted in found["inputs"].items():
        # Downloaded audio is deleted once it is used, if the configuration says so.
        gone = role == "audio" and not run.settings["source"]["freesound"]["keep_audio"]
        if run.find(role, wanted, path) is None and not gone:
            yield (
                f"{path}: its input {role!r} ({wanted[:12]}) is not there any more; it was changed"
                " or made again since"
            )
    names = {name for name in found["config"] if _known(name)}
    if run.settings["source"]["kind"] == "coala":
        names.discard("tags")  # the published tags were cleaned before they came here
    expected = configuration.sections(run.settings, *sorted(names))
    for key, made, now in _differences(found["config"], expected):
        yield f"{path}: made with {key} = {made}, but config.yaml of the run says {now}"


def _known(section: str) -> bool:
    try:
        configuration.resolve_sections({}, [section])
    except TagalignError:
        return False
    return True


def _differences(
    made: Mapping, now: Mapping, prefix: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Keys of `made` whose value in `now` is another."""
    for key, value in made.items():
        if key not in now:
            continue
        if isinstance(value, Mapping) and isinstance(now[key], Mapping):
            yield from _differences(value, now[key], f"{prefix}{key}.")
        elif value != now[key]:
            yield f"{prefix}{key}", value, now[key]


def _check_shards(run: Run) -> Iterator[str]:
    """The shard files name no inputs, so that they stay the same; make them again."""
    catalogue = run.data / "catalogue.h5"
    if not catalogue.is_file():
        return
    with tempfile.TemporaryDirectory() as directory:
        write_shards(catalogue, directory)
        for fresh in sorted(Path(directory).iterdir()):
            path = run.data / "shards" / fresh.name
            if not path.is_file() or run.digest(path) != store.digest(fresh):
                yield f"{path}: does not hold what {catalogue} says of this shard"


def _check_sounds(run: Run) -> Iterator[str]:
    """The sounds of a folder are those that the catalogue was made from."""
    catalogue = run.data / "catalogue.h5"
    source = run.settings["source"]
    if find_source(source["kind"]).gives != "files" or not catalogue.is_file():
        return
    folder = source[source["kind"]]["audio"]
    names, hashes = Catalogue.read_fields(catalogue, "file", "sha256")
    yield from _compare(run.home / folder, names, hashes, catalogue)


def _check_clips(run: Run) -> Iterator[str]:
    """The clips of the tasks are those that their lists were made from."""
    for path in [path for path in run.made if path.parent.name == "datasets"]:
        section = f"datasets.{path.stem}"
        settings = dict(run.settings["datasets"][path.stem])
        for key, value in configuration.only_places({section: settings}).get(section, {}).items():
            if isinstance(value, str) and "://" not in value:
                settings[key] = str(run.home / value)
        try:
            root = read_listing(find_task(path.stem), settings, run.home / "data/datasets").root
            names, hashes = Dataset.read_fields(path, "file", "sha256")
        except TagalignError as error:
            yield f"{path}: {error}"
            continue
        yield from _compare(root, names, hashes, path)


def _compare(root: Path, names: list[str], hashes: list[str], listed_in: Path) -> Iterator[str]:
    for name, wanted in zip(names, hashes, strict=True):
        path = root / name
        if not name:
            continue
        if not path.is_file():
            yield f"{path}: is gone, but {listed_in} lists it"
        elif store.digest(path) != wanted:
            yield f"{path}: has changed since {listed_in} was made"


def _check_table(run: Run) -> Iterator[str]:
    """The table follows from the scores."""
    path = run.directory / "table.csv"
    scores = run.score_files()
    if not path.is_file() or not scores:
        return
    from tagalign.report.results import read_results
    from tagalign.report.table import table_of

    try:
        numbers = table_of(read_results(scores), run.settings["report"])
    except TagalignError as error:
        yield f"{path}: {error}"
        return
    if path.read_text() != numbers.to_csv(index=False, lineterminator="\n"):
        yield f"{path}: does not follow from the {len(scores)} score files of the run"
