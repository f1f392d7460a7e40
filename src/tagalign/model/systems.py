"""The systems: one table that says how each differs from the others.

A system is an audio encoder, at most one tag encoder, and the losses that train them. What
all systems share (channels, dropout, ...) is in the configuration section ``model``, the
weights of the losses in ``train``. The MFCC baseline is no network and so not in the table.
"""

import dataclasses
import difflib

from tagalign.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class System:
    """How one system is built and trained.

    Attributes
    ----------
    name
        Name in the configuration and in file names.
    tag_encoder
        A name of `tagalign.model.tags.TAG_ENCODERS`: ``"attention"``, ``"mean"`` (both over
        word vectors), ``"multi_hot"``; or None.
    width
        Size F_w of the word vectors, or None where the system uses none.
    heads
        Attention heads H, each of full width, or None.
    layer_norm
        Whether the audio embedding is layer-normalised (COALA's is not).
    losses
        What trains it, in the order of the history: ``"reconstruction"`` (generalised KL of
        the spectrogram), ``"tag_reconstruction"`` (binary cross-entropy of the tag
        autoencoder), ``"contrastive"`` (NT-Xent), ``"classification"`` (binary cross-entropy
        of the tags predicted from audio). Empty: the network stays at its random start.
    epochs
        Epoch whose weights its authors score, where that is not the last of their training.
    audio_encoder
        A name of `tagalign.model.audio.AUDIO_ENCODERS`.
    """

    name: str
    tag_encoder: str | None = None
    width: int | None = None
    heads: int | None = None
    layer_norm: bool = True
    losses: tuple[str, ...] = ()
    epochs: int | None = None
    audio_encoder: str = "cnn"

    def epochs_of(self, settings: dict) -> int:
        """Epochs to train with the configuration section ``train``: at most its own."""
        return min(settings["epochs"], self.epochs or settings["epochs"])

    def kept_epochs(self, settings: dict) -> list[int]:
        """The epochs of ``train.keep_epochs`` that come before its last one."""
        return sorted({e for e in settings["keep_epochs"] if e < self.epochs_of(settings)})

    def to_dict(self) -> dict:
        """The description as it stands in a model file."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "System":
        """Read what `to_dict` gave."""
        return cls(**values | {"losses": tuple(values["losses"])})


PARTS: dict[str, set[str]] = {
    "reconstruction": {"audio_decoder"},
    "contrastive": {"projection", "tag_encoder"},
    "tag_reconstruction": {"tag_encoder", "tag_decoder"},
    "classification": {"classifier"},
}
"""Name of a loss -> parts of the network that it needs beside the audio encoder."""

_W2V = ("reconstruction", "contrastive")

SYSTEMS = {
    system.name: system
    for system in (
        # name, tag encoder, width, heads, layer norm, losses
        System("w2v-128-1h", "attention", 128, 1, True, _W2V),
        System("w2v-1152-1h", "attention", 1152, 1, True, _W2V),
        System("w2v-128-4h", "attention", 128, 4, True, _W2V),
        System("w2v-1152-4h", "attention", 1152, 4, True, _W2V),
        System("w2v-128-mean", "mean", 128, None, True, _W2V),
        System("w2v-1152-mean", "mean", 1152, None, True, _W2V),
        System(
            "coala",
            "multi_hot",
            None,
            None,
            False,
            ("reconstruction", "tag_reconstruction", "contrastive"),
        ),
        System("coala-e-c", "multi_hot", None, None, False, ("contrastive",)),
        # COALA's authors score its checkpoint of epoch 20.
        System("cnn", None, None, None, False, ("classification",), epochs=20),
        System("untrained"),
    )
}


def find_system(name: str) -> System:
    """The system of that name.

    Raises
    ------
    ConfigError
        There is none; the message names the nearest.
    """
    if name in SYSTEMS:
        return SYSTEMS[name]
    near = difflib.get_close_matches(name, SYSTEMS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(SYSTEMS)}"
    raise ConfigError(f"there is no system {name!r}; {hint}")
