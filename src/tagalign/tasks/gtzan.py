"""Music genre classification: GTZAN with the fault-filtered lists, a fixed split.

Conventions
-----------
Of the 1,000 excerpts of 30 s in ten genres, the lists leave out the repeated, mislabelled and
distorted ones: 443 to train on, 290 to test on (197 for validation are not used). The
released code lost the first line of each list to a header: 442 and 289 (key
``lose_first_line``).

Layout of the archive: ``genres/GENRE/GENRE.00000.wav``.

Source: G. Tzanetakis and P. Cook, "Musical genre classification of audio signals", 2002; C.
Kereliuk, B. L. Sturm and J. Larsen, "Deep Learning and Music Adversaries", 2015 (the filter);
lists from https://github.com/jongpillee/music_dataset_split (MIT).
"""

from importlib import resources
from pathlib import Path

from tagalign.errors import InputError
from tagalign.tasks import files
from tagalign.tasks.protocol import TEST, TRAIN, Archive, Clip, Listing, Task

PUBLISHED = {"train": 443, "test": 290}
# Whole names, by which the workflow knows that the stage reads them.
LISTS = {"train": "train_filtered.txt", "test": "test_filtered.txt"}

ARCHIVE = Archive(file="genres.tar.gz", limit=3 * 1024**3)


def read(root: Path, settings: dict) -> Listing:
    """List the training and test excerpts.

    Parameters
    ----------
    root
        Directory with one directory per genre, or one above it.
    settings
        Section ``datasets.gtzan`` of the configuration.

    Raises
    ------
    InputError
        Excerpts are missing, a list has another length than the published one, or an
        excerpt is in both.
    """
    lists = Path(settings["lists"]) if settings["lists"] else None
    names = {split: _read_list(split, lists) for split in PUBLISHED}
    both = set(names["train"]) & set(names["test"])
    if both:
        raise InputError(f"gtzan: {min(both)} is in the training and in the test list; correct it")
    failures = []
    if settings["lose_first_line"]:
        failures = [(_id(each[0]), "first line of its list") for each in names.values()]
        names = {split: each[1:] for split, each in names.items()}
    for top in ("genres", "genres_original"):
        root = root / top if (root / top).is_dir() else root
    wanted = [name for each in names.values() for name in each]
    found, missing, _ = files.locate(root, wanted)
    files.complain_of_missing("gtzan", root, missing, len(wanted))
    clips = [
        Clip(clip_id=_id(name), file=found[name], labels=(name.split("/")[0],), fold=fold)
        for split, fold in (("train", TRAIN), ("test", TEST))
        for name in names[split]
    ]
    files.check_clips("gtzan", clips, root)
    classes = sorted({clip.labels[0] for clip in clips})
    return Listing(root, clips, classes, [TEST], fixed_split=True, failures=failures)


def _read_list(split: str, lists: Path | None) -> list[str]:
    """Names such as ``blues/blues.00029.wav``, one per line."""
    source = (lists or resources.files("tagalign") / "resources" / "gtzan") / LISTS[split]
    try:
        lines = source.read_text(encoding="utf-8").split()
    except OSError as error:
        raise InputError(f"cannot read {source}: {error.strerror}; correct the path") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not text in UTF-8 ({error}); get the list again") from None
    for line in lines:
        genre, _, name = line.partition("/")
        if not name.startswith(f"{genre}."):
            raise InputError(f"{source}: {line!r} is not GENRE/GENRE.NUMBER.wav; correct the list")
    files.check_count(
        "gtzan", f"excerpts in the {split} list", len(lines), PUBLISHED[split], source
    )
    return lines


def _id(name: str) -> str:
    return Path(name).stem


TASKS = (Task("gtzan", "GTZAN", read, "gtzan", (ARCHIVE,), size=2.6e9, patches=13_000),)
