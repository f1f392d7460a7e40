"""Find and read what a data set's directory holds."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tagalign.audio.formats import SUFFIXES
from tagalign.errors import InputError
from tagalign.tasks.protocol import Clip, Task, name_some


def data_directory(task: Task, settings: dict, downloads: Path) -> Path:
    """Directory of a task's data: the configured one, or the one in `downloads`.

    Raises
    ------
    InputError
        The directory does not exist.
    """
    own = settings.get("path")
    root = Path(own) if own else downloads / task.dataset
    if is_own(settings) and not own:
        return root  # every file is named by other keys
    if not root.is_dir():
        remedy = (
            f"correct datasets.{task.name}.path"
            if own
            else f"run `tagalign dataset --task {task.name}`, which downloads it, or set"
            f" datasets.{task.name}.path to a copy that you have"
        )
        raise InputError(f"{root} is not a directory; {remedy}")
    return root


def is_own(settings: dict) -> bool:
    """True where the configuration names data that the user already has."""
    return any(settings.get(key) for key in ("path", "csv", "metadata"))


def whole_number(text: str, what: str) -> int:
    """A fold or class number of a table.

    Raises
    ------
    InputError
        It is not a whole number; `what` names the place.
    """
    try:
        number = float(text)
        if number != int(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise InputError(f"{what} is {text!r}, which is not a whole number; correct it") from None
    return int(number)


def locate(root: Path, files: Iterable[str]) -> tuple[dict[str, str], list[str], list[str]]:
    """Look for sounds below `root`; one under another sound suffix counts as found.

    Parameters
    ----------
    root
        Directory of the sounds.
    files
        Wanted files, relative to `root`, with ``/`` between their parts.

    Returns
    -------
    found : dict
        Wanted file -> the file that is there.
    missing : list
        Wanted files that are not there.
    extra : list
        Sounds in the same directories that nobody wants.
    """
    files = list(files)
    folders = sorted({str(Path(file).parent) for file in files})
    there = {}
    for folder in folders:
        directory = root / folder
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
                there[path.relative_to(root).as_posix()] = path
    stems = {}
    for name in there:
        stems.setdefault(_stem(name), name)
    found, missing = {}, []
    for file in files:
        name = file if file in there else stems.get(_stem(file))
        if name is None:
            missing.append(file)
        else:
            found[file] = name
    extra = sorted(set(there) - set(found.values()))
    return found, missing, extra


def _stem(file: str) -> str:
    return str(PurePosixPath(file).with_suffix(""))


def complain_of_missing(task: str, root: Path, missing: list[str], total: int) -> None:
    """Stop if clips of the published list are missing.

    Raises
    ------
    InputError
        With the names of the first missing files.
    """
    if missing:
        raise InputError(
            f"{task}: {len(missing)} of {total} clips are missing below {root}:"
            f" {name_some(missing)}; unpack the data set again or correct its path"
        )


def check_clips(task: str, clips: list[Clip], where: Path) -> None:
    """Stop if two clips have one id.

    Raises
    ------
    InputError
        With the id.
    """
    for clip_id, count in Counter(clip.clip_id for clip in clips).items():
        if count > 1:
            raise InputError(
                f"{task}: {where} lists clip {clip_id!r} {count} times; ids must be unique"
            )


def check_count(task: str, what: str, found: int, published: int, where: Path) -> None:
    """Stop if a count differs from the published one.

    Raises
    ------
    InputError
        With both counts.
    """
    if found != published:
        raise InputError(
            f"{task}: {where} gives {found} {what}, but the published set has {published};"
            " the copy is incomplete or of another version: get it again"
        )
