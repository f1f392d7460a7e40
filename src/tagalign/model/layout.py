"""``models/SYSTEM/SEED.h5``: what a model file holds; `tagalign.model.file` makes a model of it."""

import dataclasses

import numpy as np

from tagalign.pairs.scaling import Scaling
from tagalign.store.fields import StageFile, attribute, field, part
from tagalign.tags.words import MoreWords


@dataclasses.dataclass(kw_only=True)
class ModelFile(StageFile, stage=("train", "import-release"), place="models/SYSTEM/SEED.h5"):
    """Everything that is needed to embed a sound or a set of tags."""

    system: dict = attribute("JSON", "row of the table of systems")
    network: dict = attribute("JSON", "the section `model`")
    front_end: dict = attribute("JSON", "the section `patches` that made the training data")
    cleaning: dict = attribute("JSON", "the section `tags` that made the training data")
    tags_per_sound: int = attribute("int64", "how many tags of a set are used")
    tag_order: str = attribute("text", "which come first: given or vocabulary")
    arithmetic: dict | None = attribute(
        "JSON", "device and precision of the training, and whether compiled", optional=True
    )
    vocabulary: list[str] = field("text", "C", "the tags, in the order of their indices")
    scaling: Scaling | None = part(Scaling, optional=True)
    word_vectors: np.ndarray | None = field(
        "float32", "C F_w", "word vectors of w2v systems", optional=True
    )
    more: MoreWords | None = part(MoreWords, optional=True)
    weights: dict[str, np.ndarray] = field(
        "any", "", "each parameter and buffer of the network, by its PyTorch name", kind="group"
    )
    kept: dict[str, dict[str, np.ndarray]] = field(
        "any", "", "EPOCH: the weights after an earlier epoch", kind="group", optional=True
    )
    history: dict[str, np.ndarray] = field(
        "any", "", "each metric after each epoch", kind="group", optional=True
    )
