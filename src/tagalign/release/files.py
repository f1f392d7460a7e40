"""Find and read the files of the authors' release; nothing in them is executed."""

import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from tagalign.errors import InputError
from tagalign.pairs.scaling import Scaling

# Part -> the file names that it may have.
FILES = {
    "audio_encoder": r"audio_encoder_epoch_(\d+)\.pt",
    "audio_decoder": r"audio_decoder_epoch_(\d+)\.pt",
    "tag_encoder": r"tag_encoder_(?:att_)?epoch_(\d+)\.pt",
    "tag_decoder": r"tag_decoder_epoch_(\d+)\.pt",
}


def weights_directory(directory: Path) -> Path:
    """The directory itself, or its only subdirectory with weights."""
    if not directory.is_dir():
        raise InputError(
            f"{directory} is not a directory; give the one with the released .pt files"
        )
    if list(directory.glob("*.pt")):
        return directory
    below = sorted({path.parent for path in directory.glob("*/*.pt")})
    if len(below) == 1:
        return below[0]
    if below:
        names = ", ".join(path.name for path in below)
        raise InputError(f"{directory} holds several systems ({names}); give one of them")
    raise InputError(f"{directory} holds no .pt file; give the directory with the released weights")


def find_parts(directory: Path) -> dict[str, Path]:
    """The file of each part, all from the last epoch that is there."""
    found = {}
    for path in sorted(directory.glob("*.pt")):
        for part, pattern in FILES.items():
            match = re.fullmatch(pattern, path.name)
            if match:
                found.setdefault(int(match[1]), {})[part] = path
    if not found:
        raise InputError(
            f"{directory} holds no file named as in the release, such as audio_encoder_epoch_200.pt"
        )
    return found[max(found)]


def load(path: Path) -> dict[str, torch.Tensor]:
    """A state dict: names and tensors, no code."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is damaged or hostile
        reason = str(error).split("\n", 1)[0]
        raise InputError(f"{path} is not a PyTorch file of plain weights: {reason}") from None
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise InputError(f"{path} is not a state dict (names and tensors); give the released file")
    return dict(state)


def find(directory: Path, name: str) -> Path:
    """A file of the release: beside the weights, one or two directories up, else our copy."""
    for place in (directory, *directory.absolute().parents[:2]):
        for path in (place / name, place / "json" / name):
            if path.is_file():
                return path
    return Path(str(resources.files("tagalign") / "resources" / "reference" / name))


def _read_json(path: Path) -> dict:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}; get the released file again") from None
    if not isinstance(value, dict):
        raise InputError(f"{path} must hold a JSON object, but holds a {type(value).__name__}")
    return value


def read_vocabulary(path: Path) -> list[str]:
    """Tags in the order of their indices."""
    tokens = _read_json(path)
    numbers = [str(number) for number in range(len(tokens))]
    tags = {tag for tag in tokens.values() if isinstance(tag, str)}
    if set(tokens) != set(numbers) or len(tags) != len(tokens) or not tokens:
        raise InputError(f"{path} must map each of 0, 1, ... to a tag of its own")
    return [tokens[number] for number in numbers]


def read_scaler(path: Path, length: int) -> Scaling:
    values = _read_json(path)
    limits = []
    for key in ("data_min", "data_max"):
        try:
            limit = np.array(values.get(key, ()), np.float32)
        except (TypeError, ValueError):  # text, or lists of different lengths
            limit = np.zeros(0, np.float32)
        if limit.shape != (length,) or not np.isfinite(limit).all():
            raise InputError(f"{path}: {key} must hold {length} numbers, one per column")
        limits.append(limit)
    return Scaling(*limits, axis="column", clip="low")
