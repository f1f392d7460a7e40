"""The two spaces of a model, and vectors that know which one they are in.

``embedding``          z_a, what the audio encoder makes of a sound: for classification.
``aligned_embedding``  phi_a of a sound and phi_w of a set of tags: for comparing the two.

Both may have the same number of values (w2v-1152), but the cosine of a z_a and a phi_w means
nothing; neither does that of vectors of two models.
"""

import numpy as np

from tagalign.errors import InputError

EMBEDDING, ALIGNED = "embedding", "aligned_embedding"
SPACES = {
    EMBEDDING: "embeddings (z_a, for classification)",
    ALIGNED: "aligned embeddings (phi_a or phi_w, for comparing sounds and tags)",
}


class Embeddings(np.ndarray):
    """An array of vectors that carries its space and its model.

    Slices and results of arithmetic keep both; `numpy.asarray` gives a plain array.

    Parameters
    ----------
    values
        Vectors [shape=(..., size)].
    space : {"embedding", "aligned_embedding"}
        What they are.
    model
        SHA-256 of the model file that made them.

    Raises
    ------
    InputError
        There is no such space.

    Examples
    --------
    >>> vectors = Embeddings([[3.0, 4.0], [0.0, 2.0]], "aligned_embedding", "b1946ac9")
    >>> vectors[0].space
    'aligned_embedding'
    >>> cosine(vectors, vectors[0])
    array([1. , 0.8], dtype=float32)
    """

    space: str | None
    model: str | None

    def __new__(cls, values, space: str, model: str) -> "Embeddings":
        if space not in SPACES:
            raise InputError(f"there is no space {space!r}; give one of {', '.join(SPACES)}")
        vectors = np.asarray(values).view(cls)
        vectors.space, vectors.model = space, model
        return vectors

    def __array_finalize__(self, source) -> None:
        self.space = getattr(source, "space", None)
        self.model = getattr(source, "model", None)


def cosine(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Cosine of each of our vectors with each of theirs.

    Parameters
    ----------
    ours, theirs : Embeddings [shape=(n, size) or (size,), shape=(m, size) or (size,)]
        Vectors of one space and one model.

    Returns
    -------
    float32 [shape=(n, m), less the axis of a single vector], range -1..1
        0 where a vector is all zeros.

    Raises
    ------
    InputError
        The vectors are of two spaces or two models, or do not say what they are.
    """
    check_comparable(ours, theirs)
    return unit(ours) @ unit(theirs).T


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1, float32; zeros stay zeros."""
    plain = np.asarray(vectors, np.float32)
    length = np.linalg.norm(plain, axis=-1, keepdims=True)
    return plain / np.where(length == 0, np.float32(1), length)


def check_comparable(*parts: np.ndarray) -> None:
    """All vectors must be of one space and one model.

    Raises
    ------
    InputError
        They are not, or an array does not say what it holds.
    """
    for vectors in parts:
        if getattr(vectors, "space", None) is None:
            raise InputError(
                f"an array of shape {np.shape(vectors)} does not say what it holds; give what"
                " embed() returned, or tagalign.Embeddings(array, space, model)"
            )
    first, *others = parts
    for other in others:
        if other.space != first.space:
            raise InputError(
                f"cannot compare {SPACES[first.space]} with {SPACES[other.space]}; embed the"
                " sounds with aligned=True (--aligned)"
            )
        if other.model != first.model:
            raise InputError(
                f"cannot compare vectors of two models (SHA-256 {str(first.model)[:12]} and"
                f" {str(other.model)[:12]}); embed both with one model"
            )
