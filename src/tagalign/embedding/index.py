"""An index of sounds: searched by tags or by a sound, with nothing else at hand.

HDF5, beside the root attributes of every stage file:

``space``               attribute: ``"aligned_embedding"``, or ``"embedding"`` where the model
                        knows no tags, so that only sounds can be searched by
``id``                  of each sound [shape=(n,)]
``aligned_embedding``   phi_a, or ``embedding``, z_a, as `space` says, float32 [shape=(n, size)]
``model``               the bytes of the model file, which embed what is searched for
``details/``            name, username, license, url of each sound, where they are known
``failed/``             id and reason of each sound that could not be read
"""

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tagalign import store
from tagalign.audio.decode import audio_packages
from tagalign.embedding.embedder import Embedder, best, load
from tagalign.embedding.folder import Done, check_embeds, collect, fill, journal_of
from tagalign.embedding.listing import DETAILS, Sound
from tagalign.embedding.spaces import ALIGNED, EMBEDDING, Embeddings, check_comparable, unit
from tagalign.errors import InputError


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


@dataclass
class Index:
    """Sounds that can be searched.

    Attributes
    ----------
    ids
        Name of each sound.
    vectors
        Of each sound [shape=(n, size)], float32.
    details
        Column -> what it says of each sound.
    model_file
        The bytes of the model file.
    """

    ids: list[str]
    vectors: Embeddings
    details: dict[str, list[str]]
    model_file: bytes

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
        return [
            Hit(
                self.ids[row],
                float(scores[row]),
                {name: values[row] for name, values in self.details.items() if values[row]},
            )
            for row in best(scores, k)
        ]

    @functools.cached_property
    def embedder(self) -> Embedder:
        """The model that the index was made with."""
        return load(self.model_file)

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
        ids, _, failures = collect(journal, sounds)
        known = {sound.id: sound.details | _find(sound, details or {}) for sound in sounds}
        packages = (*audio_packages(embedder.model.front_end["resampler"]), "torch")
        with store.create(
            output,
            stage="index",
            config={"frames": embedder.frames},
            inputs={"model": model},
            packages=packages,
        ) as file:
            file.attrs["space"], file.attrs["system"] = space, embedder.model.system.name
            store.write_strings(file, "id", ids)
            first = journal.vectors(ids[0])
            target = file.create_dataset(space, (len(ids), first.shape[1]), np.float32)
            for row, identifier in enumerate(ids):
                target[row] = journal.vectors(identifier)[0]
            file["model"] = np.frombuffer(Path(model).read_bytes(), np.uint8)
            group = file.create_group("details")
            for name in DETAILS:
                values = [known[identifier].get(name, "") for identifier in ids]
                if any(values):
                    store.write_strings(group, name, values)
            store.write_failures(file, failures)
        journal.remove()
    return Done(len(ids), failures)


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
    with store.read(path, stage="index") as file:
        space, made_by = str(file.attrs["space"]), store.attributes(file)["inputs"]["model"]
        return Index(
            store.read_strings(file["id"]),
            Embeddings(file[space][()], space, made_by),
            {
                name: store.read_strings(file["details"][name])
                for name in DETAILS
                if name in file["details"]
            },
            file["model"][()].tobytes(),
        )


def _find(sound: Sound, details: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    for key in (sound.id, sound.path.name, sound.path.stem):
        if key in details:
            return dict(details[key])
    return {}
