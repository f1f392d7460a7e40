"""Check once what a model file holds: it may come from a stranger."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from tagalign.errors import InputError
from tagalign.model.layout import ModelFile
from tagalign.model.network import Network
from tagalign.model.systems import System
from tagalign.pairs.scaling import AXES

MOST = 2**16
"""More than any size in the settings of a network; keeps 10^9 layers from being made."""


def check_values(file: ModelFile) -> None:
    """Refuse settings out of range and weights that are not finite numbers.

    Raises
    ------
    InputError
        The reason, without the name of the file.
    """
    for where, value in _numbers({"network": file.network, "system": file.system}):
        if not abs(value) <= MOST:
            raise InputError(f"{where} is {value}, but {MOST} is the most")
    sizes = {"tags_per_sound": file.tags_per_sound}
    sizes |= {key: file.front_end.get(key, 1) for key in ("n_mels", "n_frames")}
    for name, value in sizes.items():
        if not isinstance(value, int) or not 1 <= value <= MOST:
            raise InputError(f"{name} is {value!r}, not a whole number from 1 to {MOST}")
    arrays = {f"weights/{name}": values for name, values in file.weights.items()}
    for epoch, weights in file.kept.items():
        arrays |= {f"kept/{epoch}/{name}": values for name, values in weights.items()}
    if file.word_vectors is not None:
        arrays["word_vectors"] = file.word_vectors
    if file.scaling is not None:
        arrays["scaling/minimum"] = file.scaling.minimum
        arrays["scaling/maximum"] = file.scaling.maximum
        size = file.front_end.get("n_mels" if file.scaling.axis == "band" else "n_frames", 96)
        if file.scaling.axis not in AXES or len(file.scaling.minimum) != size:
            raise InputError("its scaling does not fit its patches")
    for name, values in arrays.items():
        if values.dtype.kind not in "fi":
            raise InputError(f"{name} holds {values.dtype}, not numbers")
        if not np.isfinite(values).all():
            raise InputError(f"{name} holds values that are not finite")


def check_shapes(system: System, file: ModelFile, size: tuple[int, int], parts: set[str]) -> None:
    """Compare the weights with the network that the settings describe, before it is made.

    Raises
    ------
    InputError
        The reason, without the name of the file.
    """
    vectors = file.word_vectors
    with torch.device("meta"):
        words = None if vectors is None else torch.empty(vectors.shape)
        network = Network(system, file.network, *size, len(file.vocabulary), words, parts)
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    for where, weights in {"weights": file.weights, **file.kept}.items():
        found = {name: values.shape for name, values in weights.items()}
        for name in sorted(wanted.keys() | found.keys()):
            if wanted.get(name) != found.get(name):
                raise InputError(
                    f"its settings ask for {name} of shape {wanted.get(name)}, but {where} has"
                    f" {found.get(name)}"
                )


def _numbers(value, where: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in nested dicts and lists, by where they stand."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _numbers(item, f"{where}.{number}")
    elif isinstance(value, int | float):
        yield where, value
