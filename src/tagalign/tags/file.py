"""``tags.h5``: the tag sets of the sounds and the vocabulary."""

import dataclasses

import numpy as np

from tagalign.store.fields import StageFile, failures, field


@dataclasses.dataclass(kw_only=True)
class TagSets(StageFile, stage="tags", place="tags.h5"):
    """The cleaned tags of each sound, and the vocabulary of all of them."""

    id: list[str] = field("text", "N", "sounds with a tag of the vocabulary")
    tags: list[np.ndarray] = field(
        "int32", "N *", "tag set of each sound: indices into `vocabulary`, in the user's order"
    )
    group: list[str] | None = field(
        "text", "N", "group of each sound, where the catalogue has groups", optional=True
    )
    vocabulary: list[str] = field("text", "C", "the tags, in the order of their indices")
    counts: np.ndarray = field("int32", "C", "how many sounds have the tag", unit="sounds")
    dropped_tag: list[str] = field(
        "text", "D", "tags that are not in the vocabulary", name="dropped/tag"
    )
    dropped_reason: list[str] = field("text", "D", "why not", name="dropped/reason")
    dropped_count: np.ndarray = field(
        "int32", "D", "how many sounds have the tag", unit="sounds", name="dropped/count"
    )
    failed: list[tuple[str, str]] = failures("sounds without a tag of the vocabulary, and why")

    @property
    def cleaning(self) -> dict:
        """The configuration section ``tags``: how the tags were cleaned."""
        return self.config["tags"]
