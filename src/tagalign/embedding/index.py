"""An index of sounds: searched by tags or by a sound, with nothing else at hand."""

import dataclasses
import functools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tagalign.audio.decode import audio_packages
from tagalign.embedding.embedder import Embedder, best, load
from tagalign.embedding.folder import Done, check_embeds, collect, fill, journal_of
from tagalign.embedding.listing import DETAILS, Sound
from tagalign.embedding.spaces import ALIGNED, EMBEDDING, Embeddings, check_comparable, unit
from tagalign.errors import InputError
from tagalign.store.fields import StageFile, attribute, failures, field


class Hit(NamedTuple):
    """A sound that was found.

    Attributes
    ----------
    id
        Of the sound.
    score
        Cosine with what was searched for.
    details
        Name, username, license and url, where the index has them.
    """

    id: str
    score: float
    details: dict[str, str]


@dataclasses.dataclass(kw_only=True)
class Index(StageFile, stage="index", place="where `tagalign index` is told to write"):
    """Sounds that can be searched by tags, or by a sound alone where the model knows no tags."""

    space: str = attribute("text", "`aligned_embedding`, or `embedding` of a model without tags")
    system: str = attribute("text", "name of the model's system")
    model: str = attribute("text", "SHA-256 of the model file")
    ids: list[str] = field("text", "N", "sounds", name="id")
    aligned_embedding: np.ndarray | None = field("float32", "N W", "phi_a", optional=True)
    embedding: np.ndarray | None = field("float32", "N V", "z_a", optional=True)
    model_file: np.ndarray = field(
        "uint8", "B", "bytes of the model file, which embeds what is searched for"
    )
    name: list[str] | None = field("text", "N", "title of each sound, if known", optional=True)
    username: list[str] | None = field("text", "N", "author, if known", optional=True)
    license: list[str] | None = field("text", "N", "licence, if known", optional=True)
    url: list[str] | None = field("text", "N", "page, if known", optional=True)
    failed: list[tuple[str, str]] = failures("sounds that could not be read")

    def search(self, tags: str | Sequence[str], k: int = 10) -> list[Hit]:
        """The sounds that come nearest to a set of tags.

        Parameters
        ----------
        tags
            A text with commas between the tags, or a list of tags.
        k : int > 0
            How many.

        Raises
        ------
        InputError
            The model has no tag encoder or knows none of the tags.

        Examples
        --------
        >>> import tagalign
        >>> index = tagalign.read_index("index.h5")
        >>> len(index.search("dog, bark", k=1))
        1
        """
        if self.vectors.space != ALIGNED:
            raise InputError(
                f"this index is of a model of system {self.embedder.model.system.name}, which"
                " knows no tags; search it by a sound (--like)"
            )
        return self.nearest(self.embedder.embed_tags([tags])[0], k)

    def like(
        self, sound: str | os.PathLike | np.ndarray, k: int = 10, rate: int | None = None
    ) -> list[Hit]:
        """The sounds that come nearest to a sound.

        Parameters
        ----------
        sound
            A path, or samples with their `rate` in Hz.
        k : int > 0
            How many.

        Raises
        ------
        AudioError
            The sound cannot be read.

        Examples
        --------
        >>> import tagalign
        >>> index = tagalign.read_index("index.h5")
        >>> index.like("dog.wav", k=1)[0].id
        'dog.wav'
        """
        aligned = self.vectors.space == ALIGNED
        return self.nearest(self.embedder.embed(sound, rate, aligned=aligned), k)

    def nearest(self, vector: Embeddings, k: int = 10) -> list[Hit]:
        """The sounds whose vectors have the highest cosine with `vector` [shape=(size,)].

        Raises
        ------
        InputError
            The vector is of another space or model.
        """
        check_comparable(vector, self.vectors)
        scores = self._unit @ unit(vector)
        columns = {column: texts for column in DETAILS if (texts := getattr(self, column))}
        return [
            Hit(
                self.ids[row],
                float(scores[row]),
                {column: texts[row] for column, texts in columns.items() if texts[row]},
            )
            for row in best(scores, k)
        ]

    @functools.cached_property
    def vectors(self) -> Embeddings:
        """Of each sound [shape=(N, size)], float32."""
        return Embeddings(getattr(self, self.space), self.space, self.model)

    @functools.cached_property
    def embedder(self) -> Embedder:
        """The model that the index was made with."""
        return load(self.model_file.tobytes())

    @functools.cached_property
    def _unit(self) -> np.ndarray:
        return unit(self.vectors)


def build_index(
    output: str | os.PathLike,
    embedder: Embedder,
    sounds: Sequence[Sound],
    *,
    model: str | os.PathLike,
    details: Mapping[str, Mapping[str, str]] | None = None,
    jobs: int = 1,
) -> Done:
    """Embed sounds and write an index; a run that was killed goes on where it was.

    Parameters
    ----------
    output
        The file to write. While the work lasts, ``OUTPUT.journal`` lies beside it.
    embedder, sounds, jobs
        As for `tagalign.embedding.folder.embed_folder`.
    model
        The file of the model, which the index contains.
    details
        What is known of sounds, by id, by path below their directory, or by the name of
        their file without its ending; it adds to what a list of sounds says.

    Raises
    ------
    InputError, TagalignError
        As for `tagalign.embedding.folder.embed_folder`.
    """
    check_embeds(embedder)
    aligned = embedder.model.network.projection is not None
    space = ALIGNED if aligned else EMBEDDING
    with journal_of(output, embedder, aligned=aligned, timestamps=False) as journal:
        fill(journal, embedder, sounds, aligned=aligned, timestamps=False, jobs=jobs)
        ids, _, failed = collect(journal, sounds)
        known = {sound.id: sound.details | _find(sound, details or {}) for sound in sounds}
        packages = (*audio_packages(embedder.model.front_end["resampler"]), "torch")
        vectors = np.concatenate([journal.vectors(identifier) for identifier in ids])
        columns = {name: [known[i].get(name, "") for i in ids] for name in DETAILS}
        Index(
            config={"clips": embedder.clips},
            space=space,
            system=embedder.model.system.name,
            model=embedder.digest,
            ids=ids,
            model_file=np.frombuffer(Path(model).read_bytes(), np.uint8),
            failed=failed,
            **{space: vectors},
            **{name: texts for name, texts in columns.items() if any(texts)},
        ).write(output, inputs={"model": model}, packages=packages)
        journal.remove()
    return Done(len(ids), failed)


def read_index(path: str | os.PathLike) -> Index:
    """Read a file of `tagalign index`.

    Raises
    ------
    InputError
        The file is missing or is not an index.

    Examples
    --------
    >>> import tagalign
    >>> tagalign.read_index("index.h5").vectors.shape
    (2, 128)
    """
    return Index.read(path)


def _find(sound: Sound, details: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    for key in (sound.id, sound.path.name, sound.path.stem):
        if key in details:
            return dict(details[key])
    return {}
