"""The layers of the released networks and the systems that they fit."""

from collections.abc import Mapping
from pathlib import Path

import torch

from tagalign.errors import InputError
from tagalign.model.systems import SYSTEMS, System, find_system

# The layers of each part: theirs -> ours. Parameters inside a layer have the same names.
AUDIO_ENCODER = {
    **{f"audio_encoder.{4 * i}": f"audio_encoder.blocks.{i}.convolution" for i in range(5)},
    **{f"audio_encoder.{4 * i + 1}": f"audio_encoder.blocks.{i}.norm" for i in range(5)},
    "audio_encoder.21": "audio_encoder.layer_norm",
    "fc_audio.0": "projection",
}
AUDIO_DECODER = {
    **{f"audio_decoder.{4 * i + 2}": f"audio_decoder.blocks.{i}.convolution" for i in range(4)},
    **{f"audio_decoder.{4 * i + 3}": f"audio_decoder.blocks.{i}.norm" for i in range(4)},
    "audio_decoder.17": "audio_decoder.output.convolution",
    "audio_decoder.18": "audio_decoder.output.norm",
}
TAG_DECODER = {f"tag_decoder.{i}": f"tag_decoder.layers.{i}" for i in (0, 1, 4, 5, 7, 8)}
ATTENTION = {
    "w_qs": "tag_encoder.query",
    "w_ks": "tag_encoder.key",
    "w_vs": "tag_encoder.value",
    "fc": "tag_encoder.output",
    "layer_norm": "tag_encoder.layer_norm",
}
MEAN = {"fc": "tag_encoder.map", "layer_norm": "tag_encoder.layer_norm"}
MULTI_HOT = {
    **{f"tag_encoder.{i}": f"tag_encoder.layers.{i}" for i in (0, 1, 4, 5, 8, 9)},
    "fc_tag.0": "tag_encoder.projection",
}
EMBEDDINGS = "embeddings.weight"
# The tag encoders that were released; systems with another one fit no released weights.
TAG_ENCODERS = {"attention": ATTENTION, "mean": MEAN, "multi_hot": MULTI_HOT}


def fitting_system(states: Mapping, name: str | None, directory: Path) -> System:
    """The system that the weights fit, or the named one if they fit it."""
    fitting = [
        system
        for system in SYSTEMS.values()
        if system.audio_encoder == "cnn"
        and system.tag_encoder in TAG_ENCODERS
        and _fits(system, states)
    ]
    named = None if name is None else find_system(name)
    if not fitting or (named and named not in fitting):
        shown = {part: len(state) for part, state in states.items()}
        raise InputError(
            f"the weights in {directory} are not those of {name or 'any released system'}"
            f" (parts and their arrays: {shown})"
            + (f"; they fit {', '.join(system.name for system in fitting)}" if fitting else "")
        )
    if named:
        return named
    # COALA's variants differ in their losses alone, which no weights show.
    if len(fitting) > 1 and fitting[0].tag_encoder != "multi_hot":
        names = ", ".join(system.name for system in fitting)
        raise InputError(f"the weights in {directory} fit {names}; name one with --system")
    return fitting[0]


def _fits(system: System, states: Mapping) -> bool:
    """Whether names and widths are those of `system`; all shapes are checked later."""
    encoder, tags = states.get("audio_encoder"), states.get("tag_encoder")
    if encoder is not None:
        if ("audio_encoder.21.weight" in encoder) != system.layer_norm:
            return False
        if system.width not in (None, _matrix_shape(encoder, "fc_audio.0.weight")[0]):
            return False
    if tags is not None:
        if {name.rsplit(".", 1)[0] for name in tags} - {"embeddings"} != set(
            layers_of(system)["tag_encoder"]
        ):
            return False
        if system.width not in (None, _matrix_shape(tags, EMBEDDINGS)[1]):
            return False
        inner = system.heads and system.heads * system.width
        if inner not in (None, _matrix_shape(tags, "w_qs.weight")[0]):
            return False
    decoder = states.get("tag_decoder")
    if decoder is None:
        return True
    return system.width in (None, _matrix_shape(decoder, "tag_decoder.0.weight")[1])


def _matrix_shape(state: Mapping[str, torch.Tensor], name: str) -> tuple[int, int]:
    """Rows and columns of a matrix; zeros, which fit no system, where there is none."""
    matrix = state.get(name)
    return (0, 0) if matrix is None or matrix.ndim != 2 else tuple(matrix.shape)


def layers_of(system: System) -> dict[str, dict[str, str]]:
    """For each part the layers: theirs -> ours."""
    encoder = dict(AUDIO_ENCODER)
    if not system.layer_norm:
        del encoder["audio_encoder.21"]
    return {
        "audio_encoder": encoder,
        "audio_decoder": AUDIO_DECODER,
        "tag_encoder": TAG_ENCODERS[system.tag_encoder],
        "tag_decoder": TAG_DECODER,
    }


def rename(
    state: Mapping[str, torch.Tensor],
    layers: Mapping[str, str],
    wanted: Mapping[str, torch.Tensor],
    path: Path,
) -> dict[str, torch.Tensor]:
    """Give the arrays of one part our names; all names and shapes must be as they should."""
    theirs = {ours: name for name, ours in layers.items()}
    expected = {}
    for name, value in wanted.items():
        layer, leaf = name.rsplit(".", 1)
        if layer in theirs:
            expected[f"{theirs[layer]}.{leaf}"] = (name, tuple(value.shape))
    for name in sorted(expected.keys() - state.keys()):
        raise InputError(f"{path} lacks {name}; it is not the released file")
    for name in sorted(state.keys() - expected.keys()):
        raise InputError(f"{path} holds {name}, which the released file does not have")
    renamed = {}
    for name, (ours, shape) in expected.items():
        if tuple(state[name].shape) != shape:
            raise InputError(f"{path}: {name} has shape {tuple(state[name].shape)}, not {shape}")
        renamed[ours] = state[name].to(wanted[ours].dtype)
    return renamed
