"""One network for every system: the parts that its row of the table calls for."""

import torch
from torch import nn

from tagalign.errors import InputError
from tagalign.model.audio import AUDIO_ENCODERS, AudioDecoder
from tagalign.model.systems import PARTS, System
from tagalign.model.tags import TAG_ENCODERS, TagClassifier, TagDecoder, TagEncoder


class Network(nn.Module):
    """The parts of a system.

    Parameters
    ----------
    system
        Row of the table of systems.
    settings
        The configuration section ``model``.
    n_mels, n_frames
        Size of a patch.
    vocabulary_size
        Number of tags C.
    word_vectors
        Word vectors [shape=(C, F)], float32; None for systems without. If F is not F_w, the tag
        encoder begins with a trained map.
    parts
        Names of the parts to build; by default those that `system` is trained with. A model
        file that lacks some (an imported release) names those that it has.

    Attributes
    ----------
    audio_encoder, projection, audio_decoder, tag_encoder, tag_decoder, classifier
        The parts, in the order in which they draw their random weights; None where the
        system has no such part. `projection` is phi_a, the map of z_a into the tag space.
    """

    def __init__(
        self,
        system: System,
        settings: dict,
        n_mels: int,
        n_frames: int,
        vocabulary_size: int,
        word_vectors: torch.Tensor | None = None,
        parts: set[str] | None = None,
    ):
        super().__init__()
        parts = parts_of(system, settings) if parts is None else parts
        if system.width is not None and "tag_encoder" in parts:
            _check_vectors(system, word_vectors, vocabulary_size)

        make_audio_encoder = AUDIO_ENCODERS[system.audio_encoder]
        encoder = make_audio_encoder(settings, n_mels, n_frames, system.layer_norm)
        audio_size, tag_size = encoder.size, system.width or encoder.size

        def tag_encoder() -> TagEncoder:
            make = TAG_ENCODERS[system.tag_encoder]
            return make(settings, system, word_vectors, vocabulary_size, audio_size)

        makers = {
            "audio_encoder": lambda: encoder,
            "projection": lambda: nn.Linear(audio_size, tag_size, bias=False),
            "audio_decoder": lambda: AudioDecoder(settings, n_mels, n_frames),
            "tag_encoder": tag_encoder,
            "tag_decoder": lambda: TagDecoder(settings, tag_size, vocabulary_size),
            "classifier": lambda: TagClassifier(audio_size, vocabulary_size),
        }
        for name, make in makers.items():
            setattr(self, name, make() if name in parts else None)
        self.vocabulary_size = vocabulary_size
        self.projection_dropout = nn.Dropout(settings["projection_dropout"])

    def project(self, embedding: torch.Tensor) -> torch.Tensor:
        """phi_a: z_a (n, V) -> (n, F_w)."""
        return self.projection_dropout(self.projection(embedding))


def parts_of(system: System, settings: dict) -> set[str]:
    """Names of the parts of a network that `system` is trained with."""
    parts = {"audio_encoder"}.union(*(PARTS[loss] for loss in system.losses))
    if system.width is not None and settings["idle_tag_decoder"]:
        parts.add("tag_decoder")
    return parts


def _check_vectors(system: System, vectors: torch.Tensor | None, vocabulary_size: int) -> None:
    if vectors is None:
        raise InputError(
            f"system {system.name} needs word vectors of size {system.width}; give --word2vec"
        )
    if len(vectors) != vocabulary_size:
        raise InputError(
            f"system {system.name} needs word vectors of {vocabulary_size} tags, not"
            f" {len(vectors)}; make them from the same tags"
        )
