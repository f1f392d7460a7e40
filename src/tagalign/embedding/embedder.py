"""Sounds and tags as people have them, embedded and compared with a trained model."""

import functools
import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tagalign.audio.clips import clips_of_training
from tagalign.embedding.pooling import PatchEmbeddings
from tagalign.embedding.sounds import Source, cut_sound, embed_patches
from tagalign.embedding.spaces import ALIGNED, EMBEDDING, Embeddings, cosine
from tagalign.embedding.tags import read_tags
from tagalign.errors import InputError
from tagalign.model.file import Model, load_model

Sounds = str | os.PathLike | np.ndarray | Sequence[str | os.PathLike | np.ndarray]
TagSets = str | Sequence[str | Sequence[str]]


class Attention(NamedTuple):
    """What the tag encoder looks at in a set of T tags.

    Attributes
    ----------
    tags
        The tags of the set that the model knows.
    weights
        float32 [shape=(H, T, T)]: of head h, from tag i to tag j; those of a tag add up to 1.
    """

    tags: list[str]
    weights: np.ndarray


class Embedder:
    """A trained model that takes sounds and tags as people have them.

    `tagalign.load` makes one. A single sound or set of tags gives a single result; a list of
    them gives one row for each. A row is the same bits from a path and from an array, alone
    and in a batch.

    Parameters
    ----------
    model
        The trained model.
    digest
        SHA-256 of its file: vectors of two models cannot be compared.
    clips
        The section `clips`: how sounds are padded and cut. By default as in training.

    Attributes
    ----------
    model
        The trained model, with its vocabulary, front end and network.
    """

    def __init__(self, model: Model, digest: str, clips: Mapping | None = None):
        self.model, self.digest = model, digest
        self.clips = dict(clips or clips_of_training(model.front_end))

    def embed(self, sounds: Sounds, rate: int | None = None, *, aligned: bool = False):
        """Embed sounds: the mean over their patches.

        Parameters
        ----------
        sounds
            A path, or samples [shape=(n,) or (n, channels)]; or a list of them.
        rate
            Rate of the samples in Hz; needed for arrays alone.
        aligned
            Give phi_a, to be compared with tags, in place of z_a, for classification.

        Returns
        -------
        Embeddings [shape=(size,) or (sounds, size)], float32
            In the space ``"embedding"`` or ``"aligned_embedding"``.

        Raises
        ------
        AudioError
            A sound cannot be read.
        InputError
            The model has no such embedding, or an array comes without its rate.

        Examples
        --------
        >>> import tagalign
        >>> model = tagalign.load("model.h5")
        >>> model.embed("dog.wav").shape
        (1152,)
        >>> model.embed(["dog.wav", "rain.wav"], aligned=True).space
        'aligned_embedding'
        """
        sources, single = _sources(sounds, rate)
        rows = [
            self.finish(patches, aligned=aligned, timestamps=False)
            for patches in self._patches(sources)
        ]
        vectors = rows[0] if single else np.stack(rows)
        return Embeddings(vectors, ALIGNED if aligned else EMBEDDING, self.digest)

    def embed_over_time(
        self, sound: str | os.PathLike | np.ndarray, rate: int | None = None, *, aligned=False
    ) -> tuple[np.ndarray, Embeddings]:
        """Embed each patch of a sound.

        Parameters
        ----------
        sound, rate, aligned
            As for `embed`; one sound.

        Returns
        -------
        times : float64 [shape=(k,)]
            Where each patch begins, in seconds.
        embeddings : Embeddings [shape=(k, size)], float32

        Examples
        --------
        >>> import tagalign
        >>> times, embeddings = tagalign.load("model.h5").embed_over_time("dog.wav")
        >>> times.round(2).tolist()
        [0.0, 2.23]
        """
        sources, single = _sources(sound, rate)
        if not single:
            raise InputError("embed_over_time takes one sound; call it for each")
        (patches,) = self._patches(sources)
        times = self.times(len(patches.vectors))
        return times, self.finish(patches, aligned=aligned, timestamps=True)

    def times(self, count: int) -> np.ndarray:
        """Where each of `count` patches of a sound begins, in seconds."""
        front_end = self.model.front_end
        step = front_end["n_frames"] * front_end["hop_length"] / front_end["sample_rate"]
        return np.arange(count) * step

    def embed_tags(self, tags: TagSets) -> Embeddings:
        """Embed sets of tags: phi_w.

        Parameters
        ----------
        tags
            A text with commas between the tags of a set; or a list of sets, each such a text
            or a list of tags. Tags are cleaned as those of the training data were; those
            that the model does not know are left out.

        Returns
        -------
        Embeddings [shape=(size,) or (sets, size)], float32
            In the space ``"aligned_embedding"``.

        Raises
        ------
        InputError
            The model has no tag encoder, or knows no tag of a set.

        Examples
        --------
        >>> import tagalign
        >>> model = tagalign.load("model.h5")
        >>> model.embed_tags(["dog bark", "rain"]).shape
        (2, 128)
        >>> model.embed_tags("dog, bark").shape
        (128,)
        """
        sets = [tags] if isinstance(tags, str) else tags
        known = [read_tags(self.model, given).tags for given in sets]
        vectors = self.model.embed_tags(known)
        vectors = vectors[0] if isinstance(tags, str) else vectors
        return Embeddings(vectors, ALIGNED, self.digest)

    def similarity(
        self, sounds: Sounds | Embeddings, tags: TagSets | Embeddings, rate: int | None = None
    ) -> np.ndarray:
        """Cosine of each sound with each set of tags.

        Parameters
        ----------
        sounds
            As for `embed`, or what ``embed(..., aligned=True)`` returned.
        tags
            As for `embed_tags`, or what it returned.
        rate
            Rate of arrays in Hz.

        Returns
        -------
        float32 [shape=(sounds, sets)], range -1..1
            Less the axis of what is single.

        Raises
        ------
        InputError
            As for `embed` and `embed_tags`, and for vectors of another space or model.

        Examples
        --------
        >>> import tagalign
        >>> model = tagalign.load("model.h5")
        >>> model.similarity(["dog.wav", "rain.wav"], ["dog bark", "rain", "bark"]).shape
        (2, 3)
        """
        if not isinstance(sounds, Embeddings):
            sounds = self.embed(sounds, rate, aligned=True)
        if not isinstance(tags, Embeddings):
            tags = self.embed_tags(tags)
        return cosine(sounds, tags)

    def nearest_tags(self, sounds: Sounds | Embeddings, k: int = 10, rate: int | None = None):
        """The tags of the vocabulary that come nearest to each sound.

        Parameters
        ----------
        sounds, rate
            As for `similarity`.
        k : int > 0
            How many.

        Returns
        -------
        list of (tag, cosine)
            The nearest first; a list of such lists for a list of sounds.

        Examples
        --------
        >>> import tagalign
        >>> model = tagalign.load("model.h5")
        >>> len(model.nearest_tags("dog.wav", k=2))
        2
        """
        scores = self.similarity(sounds, self._vocabulary, rate)
        rows = [
            [(self.model.tags[tag], float(row[tag])) for tag in best(row, k)]
            for row in np.atleast_2d(scores)
        ]
        return rows if scores.ndim == 2 else rows[0]

    def attention(self, tags: TagSets) -> Attention | list[Attention]:
        """What each head of the tag encoder looks at.

        Parameters
        ----------
        tags
            As for `embed_tags`.

        Raises
        ------
        InputError
            As for `embed_tags`, and if the tag encoder has no attention.

        Examples
        --------
        >>> import tagalign
        >>> seen = tagalign.load("model.h5").attention("dog, bark, rain")
        >>> seen.tags, seen.weights.shape
        (['dog', 'bark', 'rain'], (4, 3, 3))
        """
        sets = [tags] if isinstance(tags, str) else tags
        known = [read_tags(self.model, given).tags for given in sets]
        found = []
        for names, weights in zip(known, self.model.attention(known), strict=True):
            used = self.model.used_tags(names)
            found.append(Attention(used, weights[:, : len(used), : len(used)]))
        return found[0] if isinstance(tags, str) else found

    @functools.cached_property
    def _vocabulary(self) -> Embeddings:
        """phi_w of each of the model's `tags` alone [shape=(C, W)]."""
        vectors = self.model.embed_tags([[tag] for tag in self.model.tags])
        return Embeddings(vectors, ALIGNED, self.digest)

    def _patches(self, sources: Sequence[Source]):
        """The embedded patches of each sound."""
        front_end, clips = self.model.front_end, self.clips
        cut = (cut_sound(source, front_end, clips) for source in sources)
        return embed_patches(self.model, cut, clips["patch_weights"])

    def finish(self, patches: PatchEmbeddings, *, aligned: bool, timestamps: bool) -> Embeddings:
        """From the embedded patches of a sound to what the user wants of it.

        Parameters
        ----------
        aligned
            phi_a in place of z_a.
        timestamps
            A vector per patch [shape=(k, size)] in place of their mean [shape=(size,)].
        """
        vectors = patches.vectors if timestamps else patches.mean()
        if aligned:
            vectors = self.model.project(np.atleast_2d(vectors)).reshape(*vectors.shape[:-1], -1)
        return Embeddings(vectors, ALIGNED if aligned else EMBEDDING, self.digest)


def load(
    path: str | os.PathLike | bytes, device: str = "cpu", clips: Mapping | None = None
) -> Embedder:
    """Load a model file, to embed sounds and tags and to compare them.

    Parameters
    ----------
    path
        A file of stage ``train``, or an imported release; or its bytes.
    device : {"cpu", "cuda", "auto"}
        Where the network runs.
    clips
        The section `clips`: how sounds are padded and cut. By default as in training.

    Raises
    ------
    InputError
        The file is missing or is not a model file.
    ConfigError
        The device is unavailable.

    Examples
    --------
    >>> import tagalign
    >>> tagalign.load("model.h5").model.vocabulary
    ['dog', 'bark', 'rain']
    """
    if isinstance(path, bytes):
        data = path
        model = load_model(io.BytesIO(data), device)
    else:
        model = load_model(path, device)  # says what is wrong with a file
        with open(path, "rb") as file:
            data = file.read()
    return Embedder(model, hashlib.sha256(data).hexdigest(), clips)


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """Indices of the `k` highest scores, the highest first, equal ones in their order."""
    if k < len(scores):
        # All that reach the k-th score, so that ties are cut by their order, too.
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates = np.flatnonzero(scores >= least)
    else:
        candidates = np.arange(len(scores))
    return candidates[np.argsort(-scores[candidates], kind="stable")][:k]


def _sources(sounds: Sounds, rate: int | None) -> tuple[list[Source], bool]:
    """Sources of the sounds, and whether it is a single one."""
    single = isinstance(sounds, str | os.PathLike) or hasattr(sounds, "__array__")
    listed = [sounds] if single else list(sounds)
    if not listed:
        raise InputError("no sound was given")
    sources: list[Source] = []
    for sound in listed:
        if isinstance(sound, str | os.PathLike):
            sources.append(sound)
        elif not hasattr(sound, "__array__"):
            raise InputError(
                f"a sound is a path or an array of samples, not {type(sound).__name__}"
            )
        elif isinstance(sound, Embeddings):
            raise InputError("these are embeddings already, not samples")
        elif rate is None:
            raise InputError("samples need their rate in Hz: embed(array, rate)")
        else:
            sources.append((np.asarray(sound), rate))
    return sources, single
