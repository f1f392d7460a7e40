"""Read a JSON file with a list of ids, such as those of sounds to leave out."""

import json
import os
from pathlib import Path

from tagalign.errors import InputError


def read_ids(path: str | os.PathLike, key: str) -> list[str]:
    """Read a JSON list of texts or whole numbers, as texts.

    Parameters
    ----------
    path
        The file.
    key
        What names it in the configuration, for errors.

    Raises
    ------
    InputError
        It cannot be read or holds something else.
    """
    try:
        listed = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; correct {key}") from None
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); it must hold a list of ids") from None
    # To JSON true and false are no numbers, to Python they are.
    if not isinstance(listed, list) or not all(type(item) in (str, int) for item in listed):
        raise InputError(f"{path} must hold a JSON list of ids, such as [123, 456]; see {key}")
    return [str(item) for item in listed]
