"""``pairs.h5``: the training file, scaled patches with the tags of their sounds."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence

import h5py
import numpy as np

from tagalign.pairs.scaling import Scaling
from tagalign.store.fields import StageFile, attribute, failures, field, part


@dataclasses.dataclass
class Pairs:
    """The pairs of one part, training or validation."""

    id: list[str] = field("text", "N", "the sounds, sorted")
    tags: list[np.ndarray] = field("int32", "N *", "tag set of each: indices into `vocabulary`")
    patches: np.ndarray | None = field(
        "float16", "N n_mels n_frames", "patch of each, scaled to [0, 1] by `scaling`"
    )
    group: list[str] | None = field(
        "text", "N", "group of each, such as its recording, where there are groups", optional=True
    )


@dataclasses.dataclass(kw_only=True)
class TrainingFile(StageFile, stage="pairs", place="pairs.h5"):
    """All that training needs but the word vectors."""

    tags_per_sound: int = attribute("int64", "how many tags of a sound a system may see")
    front_end: dict = attribute("JSON", "the section `patches` that made the patches")
    cleaning: dict = attribute("JSON", "the section `tags` that made the tag sets")
    scaling: Scaling = part(Scaling)
    vocabulary: list[str] = field("text", "C", "the tags, in the order of their indices")
    hidden: np.ndarray | None = field(
        "int32", "H", "tags withheld from `train`: indices into `vocabulary`", optional=True
    )
    train: Pairs = part(Pairs)
    validation: Pairs = part(Pairs)
    failed: list[tuple[str, str]] = failures("sounds with only a patch or only tags, and why")

    @property
    def tag_order(self) -> str:
        """Which tags come first: ``"given"`` by the user, or by ``"vocabulary"`` index."""
        return self.config["pairs"]["tag_order"]

    @contextlib.contextmanager
    def write_around_patches(
        self, path: str | os.PathLike, shape: Sequence[int], **options
    ) -> Iterator[tuple[h5py.Dataset, h5py.Dataset]]:
        """Write all but the patches, for those who stream them.

        Parameters
        ----------
        shape
            n_mels and n_frames.
        **options
            As for `store.create`.

        Yields
        ------
        train, validation : h5py.Dataset
            [shape=(N, n_mels, n_frames), dtype=float16], every row of which is to be written.
        """
        with self.create(path, config=self.config, **options) as file:
            self.write_fields(file)
            # Every row will be written, so HDF5 need not fill gigabytes with zeros first.
            targets = [
                file.create_dataset(
                    f"{name}/patches", (len(ids), *shape), "float16", fill_time="never"
                )
                for name, ids in (("train", self.train.id), ("validation", self.validation.id))
            ]
            yield targets[0], targets[1]
