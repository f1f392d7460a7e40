"""Embedding of sound files with the full-width encoder, against the released way."""

from pathlib import Path

import librosa
import numpy as np
import torch
from rows import Row, rates

from tagalign.config import load as config
from tagalign.embedding.embedder import Embedder
from tagalign.model.file import Model
from tagalign.model.network import Network
from tagalign.model.systems import SYSTEMS
from tagalign.pairs.scaling import Scaling

CORPUS = Path(__file__).parents[2] / "workflow" / "resources" / "demo-corpus" / "audio"
CLIPS = 20  # of 5 s


def run() -> list[Row]:
    """Clips of ESC-10 from the bundled corpus, three frames each."""
    sounds = sorted(CORPUS.glob("*_A.ogg"))[:CLIPS]
    model = untrained()
    embedder = Embedder(model, "")

    def ours() -> int:
        return len(embedder.embed(sounds))

    def plain() -> int:
        return len([released(model, path) for path in sounds])

    one, base = rates(ours, plain)
    rows = [Row("embedding, cpu", one, "clips/s", base, PLAIN)]
    if torch.cuda.is_available():
        model.network.to("cuda")
        one, base = rates(ours, plain)
        rows.append(Row("embedding, cuda, one process decodes", one, "clips/s", base, PLAIN))
    return rows


PLAIN = "the released way: clip by clip, padded to 10 s, librosa with kaiser_fast"


def untrained(**settings) -> Model:
    """A model with random weights, of full width unless `settings` of `model` say otherwise."""
    sections = config.resolve_sections({"model": settings}, ["patches", "tags", "model"])
    system = SYSTEMS["untrained"]
    torch.manual_seed(0)
    return Model(
        system=system,
        network=Network(system, sections["model"], 96, 96, 1),
        settings=sections["model"],
        vocabulary=["noise"],
        front_end=sections["patches"],
        cleaning=sections["tags"],
        scaling=Scaling(np.full(96, -16, np.float32), np.full(96, 5, np.float32)),
        tags_per_sound=10,
    )


def released(model: Model, path: Path) -> np.ndarray:
    """Embed a clip as the authors' release does, written anew with the same library calls."""
    signal, rate = librosa.load(path, sr=22000, res_type="kaiser_fast")
    signal = np.pad(signal, (0, max(0, 10 * rate - signal.size)))
    log_mel = librosa.feature.melspectrogram(
        y=signal, sr=rate, hop_length=512, n_fft=1024, n_mels=96, power=1.0
    )
    log_mel = np.log(log_mel + np.finfo(np.float32).eps)
    frames = librosa.util.frame(log_mel, frame_length=96, hop_length=96).transpose(2, 0, 1)
    device = next(model.network.parameters()).device
    with torch.no_grad():
        scaled = torch.from_numpy((frames + 16) / 21)[:, None].to(device)
        return model.network.eval().audio_encoder(scaled).cpu().numpy().mean(axis=0)
