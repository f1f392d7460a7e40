"""Read the weights that the authors released and make a model file of them.

Their files, as PyTorch state dicts: ``audio_encoder_epoch_200.pt``, ``audio_decoder_...``,
``tag_encoder_att_...`` (``tag_encoder_...`` in COALA) and ``tag_decoder_...``; the word vectors
also as ``embedding_matrix*.npy``, the vocabulary as ``id2token_top_1000.json`` and the min-max
scaler. Sources: https://github.com/xavierfav/ae-w2v-attention, https://github.com/xavierfav/coala
(MIT). Their scaler is a pickle that newer libraries cannot read; its numbers as JSON, and the
vocabulary, are part of this package and serve where the directory has none.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.model.file import Model
from tagalign.model.network import Network
from tagalign.release.files import (
    find,
    find_parts,
    load,
    read_scaler,
    read_vocabulary,
    weights_directory,
)
from tagalign.release.layers import EMBEDDINGS, fitting_system, layers_of, rename
from tagalign.release.reference import REFERENCE

TAGS_PER_SOUND = 10


class Release(NamedTuple):
    """The model and where each part of it came from (role -> file)."""

    model: Model
    files: dict[str, Path]


def read_release(
    directory: str | Path, *, system: str | None = None, preset: str = "reference"
) -> Release:
    """Read whichever parts of a released system a directory holds.

    Parameters
    ----------
    directory
        Where the ``.pt`` files are, or a directory with one subdirectory that holds them.
    system
        Name of the system, where the weights fit several.
    preset
        ``"reference"`` computes as the released code does. ``"paper"`` uses the same weights as
        the paper describes: empty places of a tag set do not count, and of more than ten tags
        the first as given are taken instead of the first by vocabulary index.

    Raises
    ------
    InputError
        A file is missing, is no state dict, or its names or shapes fit no system.
    """
    weights_at = weights_directory(Path(directory))
    files = find_parts(weights_at)
    states = {part: load(path) for part, path in files.items()}
    files["vocabulary"] = find(weights_at, "id2token_top_1000.json")
    vocabulary = read_vocabulary(files["vocabulary"])
    described = fitting_system(states, system, weights_at)
    renames = layers_of(described)

    sections = config.resolve_sections(REFERENCE, REFERENCE)
    settings = sections["model"]
    if preset == "paper":
        settings = settings | {"padded_queries": "masked"}
    vectors = None
    if "tag_encoder" in states and described.width is not None:
        matrix = states["tag_encoder"].pop(EMBEDDINGS)
        vectors = _word_vectors(matrix, len(vocabulary), files["tag_encoder"])
        _check_matrix(weights_at, matrix, files)

    parts = {ours.split(".")[0] for part in states for ours in renames[part].values()}
    size = (sections["patches"]["n_mels"], sections["patches"]["n_frames"])
    network = Network(described, settings, *size, len(vocabulary), vectors, parts)
    wanted, found = network.state_dict(), {}
    for part, state in states.items():
        found |= rename(state, renames[part], wanted, files[part])
    network.load_state_dict(found)

    scaling = None
    if "audio_encoder" in states:
        files["scaler"] = find(weights_at, "scaler_top_1000.json")
        scaling = read_scaler(files["scaler"], size[1])
    model = Model(
        system=described,
        network=network.eval().requires_grad_(False),
        settings=settings,
        vocabulary=vocabulary,
        front_end=sections["patches"],
        cleaning=sections["tags"] | {"vocabulary_size": len(vocabulary)},
        scaling=scaling,
        tags_per_sound=TAGS_PER_SOUND,
        tag_order="vocabulary" if preset == "reference" else "given",
    )
    return Release(model, files)


def _word_vectors(matrix: torch.Tensor, size: int, path: Path) -> torch.Tensor:
    """Without their first row, the padding, which must be zeros [shape=(C, F_w)]."""
    if len(matrix) != size + 1:
        raise InputError(
            f"{path}: {EMBEDDINGS} has {len(matrix)} rows, but the vocabulary of {size} tags and"
            f" the padding need {size + 1}; take weights and vocabulary from one release"
        )
    if matrix[0].any():
        raise InputError(f"{path}: the first row of {EMBEDDINGS}, the padding, is not zeros")
    return matrix[1:].float()


def _check_matrix(directory: Path, matrix: torch.Tensor, files: dict[str, Path]) -> None:
    """The word vectors also come as a file of their own, which must be the same."""
    width = matrix.shape[1]
    path = find(directory, "embedding_matrix_128.npy" if width == 128 else "embedding_matrix.npy")
    if not path.is_file():
        return
    try:
        separate = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a plain array: {error}") from None
    if separate.shape != tuple(matrix.shape) or not np.array_equal(
        separate.astype(np.float32), matrix.numpy()
    ):
        raise InputError(
            f"{path} differs from {EMBEDDINGS} in {files['tag_encoder']}; they are of two releases"
        )
    files["word_vectors"] = path
