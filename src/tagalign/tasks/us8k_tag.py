"""Sound event recognition from tags: UrbanSound8K by the Freesound tags of its recordings.

Conventions
-----------
The clips, classes and folds are those of `tagalign.tasks.us8k`; no sound is read. A clip is
classified from phi_w, the embedding of the tags that the Freesound user gave to the recording
from which the clip was cut, so all clips of a recording are the same to the classifier. Clips
without a tag that the model knows cannot be scored; ``evaluate.unscored`` says how they count.

The tags of 1,282 of the 1,297 recordings come from the authors' release and are part of this
package (``us8k_tags_raw.json``); one of them has none, and the tags of the other 15, 189 clips,
are not known. 8,251 of the 8,732 clips have a tag of the released vocabulary.

Source: the paper, section on the evaluation of tag embeddings;
https://github.com/xavierfav/ae-w2v-attention.
"""

import dataclasses
import json
from importlib import resources
from pathlib import Path

from tagalign.errors import InputError
from tagalign.tasks import us8k
from tagalign.tasks.protocol import Listing, Task, check_folds

NAME = "us8k-tag"


def read(root: Path, settings: dict) -> Listing:
    """List the clips of UrbanSound8K with the tags of their recordings.

    Parameters
    ----------
    root
        Directory of the archive, or the one that holds it; only the metadata is read.
    settings
        Section ``datasets.us8k-tag`` of the configuration.

    Raises
    ------
    InputError
        The metadata are as `tagalign.tasks.us8k.read` refuses them, or the tags are no JSON
        object of lists.
    """
    root = root / "UrbanSound8K" if (root / "UrbanSound8K").is_dir() else root
    tags = read_tags(settings["tags"])
    clips = [
        dataclasses.replace(clip, file="", tags=tags.get(clip.freesound_id, ()))
        for clip in us8k.read_metadata(root, settings, name=NAME)
    ]
    tested = check_folds(
        NAME, settings["test_folds"] or settings["folds"], sorted(settings["folds"])
    )
    return Listing(root, clips, list(us8k.CLASSES), tested)


def read_tags(path: str | None) -> dict[str, tuple[str, ...]]:
    """Freesound id -> the user's tags, from a JSON file or, without one, from the release."""
    bundled = resources.files("tagalign") / "resources" / "reference" / "us8k_tags_raw.json"
    where = Path(path or str(bundled))
    try:
        rows = json.loads(where.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read datasets.{NAME}.tags {where}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{where} is not valid JSON: {error}") from None
    if not isinstance(rows, dict):
        raise InputError(f"{where} must map Freesound ids to lists of tags")
    for identifier, tags in rows.items():
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise InputError(f"{where}: the tags of {identifier} must be a list of strings")
    return {identifier: tuple(tags) for identifier, tags in rows.items()}


TASKS = (
    Task(
        NAME,
        "US8K-tag",
        read,
        "us8k",
        (us8k.ARCHIVE,),
        size=13e9,
        from_tags=True,
        # Clips without tags are missing data of the release, not errors of a system.
        unscored="drop",
    ),
)
