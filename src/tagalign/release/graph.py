"""The whole way from a signal to its embeddings as one graph of matrix products, for ONNX."""

from collections.abc import Mapping

import librosa
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tagalign.audio.mel import LogMel
from tagalign.model.file import Model
from tagalign.pairs.scaling import AXES, Scaling


class AudioGraph(nn.Module):
    """A signal (samples,) -> z_a of its patches (k, V), their mean (V,), and phi_a (W,).

    The front end is computed as `tagalign.audio.mel` does it, the Fourier transform as a
    convolution with cosines and sines. Noise and padding to so many seconds, which some front
    ends apply to short sounds first, are no part of it.

    Parameters
    ----------
    model
        A model with an audio encoder.
    clips
        The section `clips`; its `tail` is read.
    """

    def __init__(self, model: Model, clips: Mapping):
        super().__init__()
        front_end = model.front_end
        self.width, self.hop = front_end["n_frames"], front_end["hop_length"]
        self.pad_tail = clips["tail"] == "pad"
        self.log_mel = LogMelGraph(front_end)
        self.scaling = ScalingGraph(model.scaling)
        self.encoder = model.network.audio_encoder
        self.projection = model.network.projection

    def forward(self, signal: torch.Tensor) -> tuple[torch.Tensor, ...]:
        samples = signal.shape[0]
        available = 1 + samples // self.hop
        count = (available + (self.width - 1) * self.pad_tail) // self.width
        count = torch.sym_max(count, 1)
        wanted = (count * self.width - 1) * self.hop
        signal = F.pad(signal, (0, torch.sym_max(wanted - samples, 0)))
        log_mel = self.log_mel(signal)  # (mel, time)
        patches = log_mel.unfold(1, self.width, self.width).transpose(0, 1)  # (k, mel, time)
        vectors = self.encoder(self.scaling(patches)[:, None])
        mean = vectors.mean(0)
        if self.projection is None:
            return vectors, mean
        return vectors, mean, self.projection(mean)


class LogMelGraph(nn.Module):
    """`tagalign.audio.mel.LogMel` as convolution, square and matrix product."""

    def __init__(self, front_end: Mapping):
        super().__init__()
        truth = LogMel(front_end)
        self.n_fft, self.hop, self.power = truth.n_fft, truth.hop_length, truth.power
        self.offset, self.padding = float(np.float32(truth.log_offset)), truth.padding
        phase = 2 * np.pi * np.outer(np.arange(1 + self.n_fft // 2), np.arange(self.n_fft))
        phase /= self.n_fft
        window = truth.window.astype(np.float64)
        basis = np.concatenate([np.cos(phase) * window, np.sin(phase) * window])[:, None]
        self.register_buffer("basis", torch.from_numpy(basis.astype(np.float32)))
        filters = librosa.filters.mel(
            sr=front_end["sample_rate"], n_fft=self.n_fft, n_mels=front_end["n_mels"]
        )
        self.register_buffer("filters", torch.from_numpy(filters.astype(np.float32)))

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        half = self.n_fft // 2
        padded = F.pad(signal[None, None], (half, half), mode=self.padding)
        parts = F.conv1d(padded, self.basis, stride=self.hop)[0]  # (2 * bins, time)
        real, imaginary = parts.chunk(2)
        spectrum = real**2 + imaginary**2
        if self.power == 1:
            spectrum = spectrum.sqrt()
        return (self.filters @ spectrum + self.offset).log()


class ScalingGraph(nn.Module):
    """`tagalign.pairs.scaling.Scaling.apply` for sounds to embed."""

    def __init__(self, scaling: Scaling):
        super().__init__()
        shape = [1, 1, 1]
        shape[AXES[scaling.axis]] = -1
        span = scaling.maximum - scaling.minimum
        span = np.where(span == 0, np.float32(1), span)
        self.clip = scaling.clip == "both"
        self.register_buffer("minimum", torch.from_numpy(scaling.minimum.reshape(shape)))
        self.register_buffer("span", torch.from_numpy(span.reshape(shape)))

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        scaled = (patches - self.minimum) / self.span
        return scaled.clamp(0, 1) if self.clip else scaled


class TagGraph(nn.Module):
    """Vocabulary indices of tag sets (n, T), filled up with C -> phi_w (n, W)."""

    def __init__(self, model: Model):
        super().__init__()
        self.encoder = model.network.tag_encoder

    def forward(self, tags: torch.Tensor) -> torch.Tensor:
        return self.encoder(tags)
