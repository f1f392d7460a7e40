"""A trained model behind the interface of HEAR (Holistic Evaluation of Audio Representations).

    hear-validator tagalign.hear --model model.h5

Scene embeddings are z_a, the mean over the patches of a sound. Timestamp embeddings are z_a of
the patch around each second column (46 ms apart at 22,050 Hz), with silence beyond the ends.
Source: https://hearbenchmark.com/hear-api.html
"""

import os
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tagalign.audio.decode import from_samples
from tagalign.audio.mel import LogMel
from tagalign.embedding.embedder import Embedder, load
from tagalign.errors import InputError

RATES = (16_000, 22_050, 32_000, 44_100, 48_000)  # what HEAR allows
DEMO = Path("results/demo/models/w2v-128-4h/0.h5")
STEP = 2  # columns from one timestamp to the next
AT_ONCE = 256  # patches


class HearModel(nn.Module):
    """What `load_model` gives.

    Attributes
    ----------
    sample_rate
        Of the audio to pass, in Hz; what the model was trained at, or 22,050 where HEAR does
        not allow that.
    scene_embedding_size, timestamp_embedding_size
        Values of an embedding, V.
    """

    def __init__(self, embedder: Embedder):
        super().__init__()
        rate = embedder.model.front_end["sample_rate"]
        encoder = embedder.model.network.audio_encoder
        if encoder is None:
            raise InputError("this model has no audio encoder and cannot embed sounds")
        self.embedder = embedder
        self.network = embedder.model.network
        self.sample_rate = rate if rate in RATES else 22_050
        self.scene_embedding_size = self.timestamp_embedding_size = int(encoder.size)


def load_model(model_file_path: str | os.PathLike = "") -> HearModel:
    """Load a model file.

    Parameters
    ----------
    model_file_path
        The file; by default the one that the environment variable TAGALIGN_MODEL names, or
        that which ``make demo`` made in this directory.

    Raises
    ------
    InputError
        There is no such file, or it is not a model with an audio encoder.
    """
    path = model_file_path or os.environ.get("TAGALIGN_MODEL") or DEMO
    if path == DEMO and not DEMO.is_file():
        raise InputError(
            f"no model was named and {DEMO} does not exist; give a model file, set"
            " TAGALIGN_MODEL, or run `make demo`"
        )
    return HearModel(load(path))


def get_scene_embeddings(audio: torch.Tensor, model: HearModel) -> torch.Tensor:
    """Embed sounds.

    Parameters
    ----------
    audio : float32 [shape=(sounds, samples)], range -1..1
        At the model's `sample_rate`.

    Returns
    -------
    float32 [shape=(sounds, V)]
    """
    vectors = model.embedder.embed(list(_rows(audio)), model.sample_rate)
    return torch.from_numpy(np.asarray(vectors)).to(audio.device)


def get_timestamp_embeddings(
    audio: torch.Tensor, model: HearModel
) -> tuple[torch.Tensor, torch.Tensor]:
    """Embed each moment of sounds.

    Parameters
    ----------
    audio : float32 [shape=(sounds, samples)], range -1..1
        At the model's `sample_rate`.

    Returns
    -------
    embeddings : float32 [shape=(sounds, t, V)]
    timestamps : float32 [shape=(sounds, t)]
        Centre of each in milliseconds.
    """
    vectors = torch.stack([_over_time(row, model) for row in _rows(audio)])
    times = torch.arange(vectors.shape[1], dtype=torch.float64) * milliseconds(model)
    times = times.to(torch.float32).expand(len(vectors), -1)
    return vectors.to(audio.device), times.to(audio.device)


def milliseconds(model: HearModel) -> float:
    """Time from one timestamp to the next."""
    front_end = model.embedder.model.front_end
    return 1000 * STEP * front_end["hop_length"] / front_end["sample_rate"]


def _over_time(samples: np.ndarray, model: HearModel) -> torch.Tensor:
    """z_a of the patch around every second column of a sound [shape=(t, V)]."""
    trained = model.embedder.model
    front_end = trained.front_end
    width, hop = front_end["n_frames"], front_end["hop_length"]
    signal = from_samples(
        samples, model.sample_rate, front_end["sample_rate"], front_end["resampler"]
    )
    columns = 1 + signal.size // hop
    # Half a patch of silence at each end: patch i is centred on column i of the signal.
    log_mel = LogMel(front_end)(np.pad(signal, width // 2 * hop))
    windows = np.lib.stride_tricks.sliding_window_view(log_mel, width, axis=1)
    patches = windows[:, :columns:STEP].swapaxes(0, 1)  # (t, mel, time)
    parts = [
        trained.embed_patches(np.ascontiguousarray(patches[start : start + AT_ONCE]))
        for start in range(0, len(patches), AT_ONCE)
    ]
    return torch.from_numpy(np.concatenate(parts))


def _rows(audio: torch.Tensor) -> np.ndarray:
    if audio.ndim != 2:
        raise InputError(f"audio of shape {tuple(audio.shape)}; give (sounds, samples)")
    return audio.detach().cpu().numpy()
