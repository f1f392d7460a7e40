"""The tag encoders, and COALA's tag decoder.

A tag set is a row of vocabulary indices, filled up with the padding index C (the size of
the vocabulary): ``tags`` is an integer tensor [shape=(n, T), range=0..C].

A new tag encoder is a subclass of `WordTagEncoder` (over word vectors) or `TagEncoder`, a row of
`TAG_ENCODERS` and a row of `tagalign.model.systems.SYSTEMS` that names it.
"""

import math
from collections.abc import Callable

import torch
from torch import nn

from tagalign.model.audio import make_layer_norm
from tagalign.model.systems import System


class WordVectors(nn.Module):
    """The frozen word vectors, with a row of zeros for the padding index.

    A tag without a word vector has zeros too, and counts as little as an empty place.
    """

    def __init__(self, vectors: torch.Tensor):
        super().__init__()
        padded = torch.cat([vectors.float(), torch.zeros(1, vectors.shape[1])])
        # Kept out of the state: the model file holds them once, as `word_vectors`.
        self.register_buffer("padded", padded, persistent=False)
        self.register_buffer("present", padded.any(1), persistent=False)

    @property
    def vectors(self) -> torch.Tensor:
        """Without the padding [shape=(C, F_w)]."""
        return self.padded[:-1]

    def forward(self, tags: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Look up a batch: vectors (n, T, F_w), and which of them are real tags (n, T)."""
        return self.padded[tags], self.present[tags]


class TagEncoder(nn.Module):
    """Tags (n, T) -> code (n, size), which a tag decoder reads -> phi_w (n, size).

    Only COALA's code differs from phi_w.

    Attributes
    ----------
    size
        Values of phi_w: the width of the system, or V where it has none.
    """

    size: int

    def encode(self, tags: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def project(self, code: torch.Tensor) -> torch.Tensor:
        return code

    def forward(self, tags: torch.Tensor) -> torch.Tensor:
        return self.project(self.encode(tags))


class WordTagEncoder(TagEncoder):
    """A tag encoder that reads word vectors, and so any word that has one.

    Vectors of another size F than F_w pass through a trained bias-free map.
    """

    def __init__(self, vectors: torch.Tensor, width: int):
        super().__init__()
        self.size = width
        self.words = WordVectors(vectors)
        size = vectors.shape[1]
        self.entry = nn.Identity() if size == width else nn.Linear(size, width, bias=False)

    def encode(self, tags: torch.Tensor) -> torch.Tensor:
        return self.encode_words(*self.words(tags))

    def encode_words(self, words: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Word vectors (n, T, F), and which of them are real tags (n, T) -> phi_w (n, F_w)."""
        raise NotImplementedError


class AttentionTagEncoder(WordTagEncoder):
    """Multi-head self-attention over a set of tags (paper, section "Model").

    Word vectors -> q, k, v -> H heads of full width, scaled dot product, no positions ->
    output map -> sum over tags -> layer norm = phi_w (n, F_w). Padded tags are never
    attended to; whether their own queries enter the sum is ``padded_queries`` (the released
    code sums them, which adds the mean of the values once per empty place).
    """

    def __init__(self, settings: dict, vectors: torch.Tensor, heads: int, width: int | None = None):
        width = width or vectors.shape[1]
        super().__init__(vectors, width)
        self.heads = heads
        self.sum_padded = settings["padded_queries"] == "summed"
        self.query = nn.Linear(width, heads * width, bias=False)
        self.key = nn.Linear(width, heads * width, bias=False)
        self.value = nn.Linear(width, heads * width, bias=False)
        self.output = nn.Linear(heads * width, width, bias=False)
        self.attention_dropout = nn.Dropout(settings["attention_dropout"])
        self.dropout = nn.Dropout(settings["tag_dropout"])
        self.layer_norm = make_layer_norm(width, settings)

    def encode_words(self, words: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        words = self.entry(words)
        value = self._heads(self.value, words)
        weights = self.attention_dropout(self._weights(words, present)).to(value.dtype)
        mixed = (weights @ value).transpose(1, 2).flatten(2)  # (n, T, H * F_w)
        mixed = self.dropout(self.output(mixed))
        if not self.sum_padded:
            mixed = mixed * present[..., None]
        return self.layer_norm(mixed.sum(1))

    def attention(self, words: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Weights of each head, from each tag to each other (n, H, T, T); see `encode_words`."""
        both = present[:, None, :, None] & present[:, None, None, :]
        return self._weights(self.entry(words), present) * both

    def _weights(self, words: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        query, key = self._heads(self.query, words), self._heads(self.key, words)
        scores = (query / math.sqrt(self.size)) @ key.transpose(-2, -1)  # (n, H, T, T)
        # Finite, so that an empty set gives zeros and no NaN.
        scores = scores.masked_fill(~present[:, None, None, :], torch.finfo(scores.dtype).min)
        return scores.float().softmax(-1)

    def _heads(self, linear: nn.Linear, words: torch.Tensor) -> torch.Tensor:
        """(n, T, F_w) -> (n, H, T, F_w)."""
        return linear(words).unflatten(-1, (self.heads, self.size)).transpose(1, 2)


class MeanTagEncoder(WordTagEncoder):
    """The mean of the word vectors: phi_w (n, F_w).

    With ``mean_encoder: trained`` as in the released code: a bias-free linear map, mean,
    dropout, layer norm.
    """

    def __init__(self, settings: dict, vectors: torch.Tensor, width: int | None = None):
        super().__init__(vectors, width or vectors.shape[1])
        trained = settings["mean_encoder"] == "trained"
        self.map = nn.Linear(self.size, self.size, bias=False) if trained else nn.Identity()
        self.dropout = nn.Dropout(settings["tag_dropout"]) if trained else nn.Identity()
        self.layer_norm = make_layer_norm(self.size, settings) if trained else nn.Identity()

    def encode_words(self, words: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        count = present.sum(1, keepdim=True).clamp(min=1)
        return self.layer_norm(self.dropout(self.map(self.entry(words)).sum(1) / count))


class MultiHotTagEncoder(TagEncoder):
    """COALA's tag encoder: multi-hot tags, C-512-512-V, and a bias-free map to phi_w (n, V)."""

    def __init__(self, settings: dict, vocabulary_size: int, size: int):
        super().__init__()
        self.vocabulary_size, self.size = vocabulary_size, size
        hidden, dropout = settings["tag_hidden"], settings["dropout"]
        self.layers = nn.Sequential(
            *_dense(vocabulary_size, hidden, dropout),
            *_dense(hidden, hidden, dropout),
            *_dense(hidden, size, dropout),
        )
        self.projection = nn.Linear(size, size, bias=False)
        self.dropout = nn.Dropout(settings["projection_dropout"])

    def encode(self, tags: torch.Tensor) -> torch.Tensor:
        return self.layers(multi_hot(tags, self.vocabulary_size))

    def project(self, code: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.projection(code))


TAG_ENCODERS: dict[str, Callable[[dict, System, torch.Tensor | None, int, int], TagEncoder]] = {
    "attention": lambda settings, system, vectors, vocabulary_size, size: AttentionTagEncoder(
        settings, vectors, system.heads, system.width
    ),
    "mean": lambda settings, system, vectors, vocabulary_size, size: MeanTagEncoder(
        settings, vectors, system.width
    ),
    "multi_hot": lambda settings, system, vectors, vocabulary_size, size: MultiHotTagEncoder(
        settings, vocabulary_size, size
    ),
}
"""Name -> ``encoder(settings, system, vectors, vocabulary_size, size)``.

`vectors` are the word vectors (C, F) or None, and `size` that of z_a.
"""


class TagDecoder(nn.Module):
    """COALA's tag decoder: (n, size) -> 512 -> 512 -> logits of the tags (n, C)."""

    def __init__(self, settings: dict, size: int, vocabulary_size: int):
        super().__init__()
        hidden = settings["tag_hidden"]
        self.layers = nn.Sequential(
            *_dense(size, hidden, settings["dropout"]),
            *_dense(hidden, hidden, 0.0),
            nn.Linear(hidden, vocabulary_size),
            nn.BatchNorm1d(vocabulary_size),
        )

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        return self.layers(code)


class TagClassifier(nn.Module):
    """The head of the CNN baseline: z_a (n, V) -> V -> logits of the tags (n, C)."""

    def __init__(self, size: int, vocabulary_size: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(size, size), nn.ReLU(), nn.Linear(size, vocabulary_size)
        )

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        return self.layers(embedding)


def multi_hot(tags: torch.Tensor, vocabulary_size: int) -> torch.Tensor:
    """Rows of indices (n, T) -> 0 and 1 per tag of the vocabulary (n, C), float32."""
    # Not len(tags), which an exported graph would keep as it was.
    hot = torch.zeros(tags.shape[0], vocabulary_size + 1, device=tags.device)
    return hot.scatter_(1, tags, 1.0)[:, :-1]


def _dense(inputs: int, outputs: int, dropout: float) -> list[nn.Module]:
    layers = [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
    return [*layers, nn.Dropout(dropout)] if dropout else layers
