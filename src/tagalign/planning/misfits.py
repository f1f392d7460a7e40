"""All that does not fit in a configuration, as far as it shows before anything is computed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tagalign.config.explain import problem
from tagalign.config.load import data_name
from tagalign.errors import TagalignError
from tagalign.model.systems import find_system
from tagalign.sources.folder import read_folder
from tagalign.tags.vocabulary import build_vocabulary
from tagalign.tasks import find_task
from tagalign.tasks.dataset import read_listing
from tagalign.tasks.files import is_own


def check(settings: Mapping, where: str) -> None:
    """Refuse a configuration that does not fit what is there; `where` names it.

    Of a folder whose catalogue is made, the stages themselves tell what is wrong.

    Raises
    ------
    ConfigError
        With a line for each thing.
    """
    found = [
        *_complaints(find_system, (name for name in settings["systems"] if name != "mfcc")),
        *_of_tasks(settings),
        *_of_words(settings["word2vec"]),
    ]
    catalogue = Path("data", data_name(settings), "catalogue.h5")
    if settings["source"]["kind"] == "folder" and not catalogue.exists():
        found += _of_folder(settings)
    if found:
        raise problem(where, found)


def _of_tasks(settings: Mapping) -> Iterator[str]:
    """Data sets that the configuration names and that are not there or not as they should be."""

    def read(name: str) -> None:
        if is_own(settings["datasets"][name]):
            read_listing(find_task(name), settings["datasets"][name], Path())

    return _complaints(read, settings["tasks"])


def _of_words(settings: Mapping) -> Iterator[str]:
    """Word vectors that are not there."""
    if settings["kind"] == "pretrained" and not settings["file"]:
        yield "word2vec.kind = pretrained needs word2vec.file, a text file of word2vec or GloVe"
    elif settings["kind"] == "pretrained" and not Path(settings["file"]).is_file():
        yield f"word2vec.file {settings['file']} does not exist; correct the path or fetch it"


def _of_folder(settings: Mapping) -> Iterator[str]:
    """What the table of a folder cannot give."""
    try:
        sounds, _ = read_folder(settings["source"])
    except TagalignError as error:
        yield str(error)
        return
    tags, train = settings["tags"], settings["train"]
    if tags["exact_vocabulary"]:
        yield from _complaints(
            lambda rows: build_vocabulary(rows, tags), [[s.tags for s in sounds]]
        )
    pairs = sum(bool(sound.file and sound.tags) for sound in sounds)
    training = pairs - round(settings["pairs"]["validation_share"] * pairs)
    if train["exact_batch"] and training < train["batch_size"]:
        yield (
            f"train.batch_size = {train['batch_size']} is larger than the data set, at most"
            f" {training} training pairs; set it to at most that, or train.exact_batch to false"
        )


def _complaints(function: Callable, arguments: Iterable) -> Iterator[str]:
    """What a function says of those arguments that it refuses."""
    for argument in arguments:
        try:
            function(argument)
        except TagalignError as error:
            yield str(error)
