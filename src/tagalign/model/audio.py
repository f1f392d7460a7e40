"""The convolutional audio encoder and its mirror, the decoder (paper, section "Model").

A new audio encoder is a module with the arguments of `AudioEncoder` and an attribute ``size``, a
row of `AUDIO_ENCODERS` and a row of `tagalign.model.systems.SYSTEMS` that names it. The decoder
takes embeddings of channels x bands x columns values, as `feature_shape` counts them.
"""

from collections.abc import Callable

import torch
from torch import nn

from tagalign.errors import ConfigError
from tagalign.model.dropout import MapDropout

LAYERS = 5
SHRINK = 2**LAYERS


def feature_shape(n_mels: int, n_frames: int) -> tuple[int, int]:
    """Bands and columns that are left of a patch after the encoder.

    Raises
    ------
    ConfigError
        A side is not a multiple of 32, so the decoder could not give it back.
    """
    for name, size in (("n_mels", n_mels), ("n_frames", n_frames)):
        if size % SHRINK:
            raise ConfigError(
                f"patches.{name} = {size}: the network halves it {LAYERS} times, so it must be a"
                f" multiple of {SHRINK}; use 96 as in the paper"
            )
    return n_mels // SHRINK, n_frames // SHRINK


class AudioEncoder(nn.Module):
    """Five strided convolutions: patch (n, 1, n_mels, n_frames) -> z_a (n, V).

    96 x 96 becomes 48, 24, 12, 6 and 3 squared, so that V = channels * 3 * 3 = 1152.

    Parameters
    ----------
    settings
        The configuration section ``model``.
    n_mels, n_frames
        Size of a patch.
    layer_norm
        Whether z_a is layer-normalised.
    """

    def __init__(self, settings: dict, n_mels: int, n_frames: int, layer_norm: bool):
        super().__init__()
        channels = settings["channels"]
        bands, columns = feature_shape(n_mels, n_frames)
        self.size = channels * bands * columns
        self.blocks = nn.ModuleList(
            _Block(
                nn.Conv2d(channels if index else 1, channels, 4, stride=2, padding=1),
                nn.BatchNorm2d(channels),
                after=settings["dropout"],
            )
            for index in range(LAYERS)
        )
        self.layer_norm = make_layer_norm(self.size, settings) if layer_norm else nn.Identity()

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        hidden = patches
        for block in self.blocks:
            hidden = block(hidden)
        return self.layer_norm(hidden.flatten(1))


AUDIO_ENCODERS: dict[str, Callable[[dict, int, int, bool], nn.Module]] = {"cnn": AudioEncoder}
"""Name -> ``encoder(settings, n_mels, n_frames, layer_norm)``, a module with its ``size`` V."""


class AudioDecoder(nn.Module):
    """Five transposed convolutions: z_a (n, V) -> logits of the patch (n, 1, n_mels, n_frames).

    The reconstruction is the sigmoid of these logits. In the paper's text a ReLU comes
    before the sigmoid, which then never falls below 0.5; the released code has only batch
    norm there (``decoder_output``).
    """

    def __init__(self, settings: dict, n_mels: int, n_frames: int):
        super().__init__()
        channels = settings["channels"]
        self.shape = (channels, *feature_shape(n_mels, n_frames))
        self.blocks = nn.ModuleList(
            _Block(
                nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1),
                nn.BatchNorm2d(channels),
                before=settings["dropout"],
            )
            for _ in range(LAYERS - 1)
        )
        self.output = _Block(
            nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1),
            nn.BatchNorm2d(1),
            before=settings["last_dropout"],
            relu=settings["decoder_output"] == "relu",
        )

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        hidden = embedding.unflatten(1, self.shape)
        for block in self.blocks:
            hidden = block(hidden)
        return self.output(hidden)


def make_layer_norm(size: int, settings: dict) -> nn.LayerNorm:
    """A layer norm as the configuration section ``model`` wants it."""
    return nn.LayerNorm(
        size, eps=settings["layer_norm_eps"], elementwise_affine=settings["layer_norm_affine"]
    )


class _Block(nn.Module):
    """[dropout ->] convolution -> batch norm [-> ReLU] [-> dropout]."""

    def __init__(
        self,
        convolution: nn.Module,
        norm: nn.Module,
        before: float = 0.0,
        after: float = 0.0,
        relu: bool = True,
    ):
        super().__init__()
        self.before = MapDropout(before)
        self.convolution = convolution
        self.norm = norm
        self.activation = nn.ReLU(inplace=True) if relu else nn.Identity()
        self.after = MapDropout(after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.activation(self.norm(self.convolution(self.before(x)))))
