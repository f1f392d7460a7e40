"""Stage `figures`: pictures of a finished training: curves, reconstructions, nearest tags."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tagalign import store
from tagalign.model.file import Model, load_model
from tagalign.report.plain_text import draw_plain_text
from tagalign.sources.table import cell
from tagalign.train.data import Pairs, TrainingData, read_pairs
from tagalign.train.history import RETRIEVAL, split_name

draw_plain_text()

SHOWN = 8
NEAREST = 8


def run(model: str | os.PathLike, pairs: str | os.PathLike, directory: str | os.PathLike) -> None:
    """Draw what a model shows of its validation sounds, on the CPU.

    Parameters
    ----------
    model
        A file of stage ``train``.
    pairs
        The training file that the model was made from.
    directory
        Where the files of `write_figures` go.

    Raises
    ------
    InputError
        A file is of another stage.
    """
    write_figures(Path(directory), load_model(model, device="cpu"), read_pairs(pairs))


def write_figures(directory: Path, model: Model, data: TrainingData) -> None:
    """Write what a trained model shows, each where the system has it.

    ``curves.png``
        Every loss and the retrieval after each epoch, training beside validation.
    ``reconstructions.png``
        Original and reconstructed spectrograms of eight validation sounds.
    ``nearest_tags.csv``
        For the same sounds their own tags and the tags that the audio comes nearest to.

    Parameters
    ----------
    directory
        Made if need be.
    model
        The model, with its history.
    data
        The pairs that it was trained on.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if model.history:
        _save(draw_curves(model.system.name, model.history), directory / "curves.png")
    pairs = data.validation
    if not len(pairs):
        return
    # Evenly spread over the file, the same for every system and seed.
    rows = np.unique(np.linspace(0, len(pairs) - 1, SHOWN).round().astype(int))
    index = torch.from_numpy(rows).to(pairs.patches.device)
    model.network.eval()
    with torch.inference_mode():
        patches, _ = pairs.batch(index)
        embedding = model.network.audio_encoder(patches)
        if model.network.audio_decoder is not None:
            made = model.network.audio_decoder(embedding).sigmoid()
            titles = [pairs.ids[row] for row in rows]
            figure = draw_reconstructions(
                titles, patches[:, 0].cpu().numpy(), made[:, 0].float().cpu().numpy()
            )
            _save(figure, directory / "reconstructions.png")
        scores = score_tags(model, embedding)
    if scores is not None:
        _write_nearest(directory / "nearest_tags.csv", model, pairs, rows, scores)


def score_tags(model: Model, embedding: torch.Tensor) -> np.ndarray | None:
    """How near each of the model's `tags` is to each sound [shape=(n, C)].

    The cosine of phi_a and phi_w of the tag alone; for the tag classifier its probability.
    None where the system knows no tags.
    """
    network = model.network
    if network.classifier is not None:
        return network.classifier(embedding).sigmoid().cpu().numpy()
    if network.tag_encoder is None or network.projection is None:
        return None
    audio = network.project(embedding).float().cpu().numpy()
    tags = model.embed_tags([[tag] for tag in model.tags])
    audio, tags = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (audio, tags))
    return audio @ tags.T


def draw_curves(title: str, history: dict[str, np.ndarray]) -> Figure:
    """One panel per quantity, training and validation in it, over epochs."""
    panels: dict[str, list] = {}
    for name, values in history.items():
        part, tag = split_name(name)
        panel = "retrieval" if tag.startswith(RETRIEVAL) else tag
        label = part
        if panel == "retrieval":
            label = tag.replace("recall_at_", "R@").replace("mean_reciprocal_rank", "MRR")
        panels.setdefault(panel, []).append((label, values))
    figure = Figure(figsize=(4 * len(panels), 3.2), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(panels)))
    for axis, (panel, curves) in zip(axes, panels.items(), strict=True):
        for label, values in curves:
            axis.plot(np.arange(1, len(values) + 1), values, label=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set(title=panel.replace("_", " "), xlabel="epoch")
        axis.legend()
    figure.suptitle(title)
    return figure


def draw_reconstructions(titles, originals: np.ndarray, made: np.ndarray) -> Figure:
    """Scaled log-mel patches [shape=(n, bands, columns)], beside each what the decoder made of it.

    All are drawn on one scale, from 0 to 1.
    """
    pairs_a_line = 2
    lines = -(-len(titles) // pairs_a_line)
    figure = Figure(figsize=(3.4 * pairs_a_line + 0.8, 1.9 * lines), layout="constrained")
    axes = figure.subplots(lines, 2 * pairs_a_line, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    for number, title in enumerate(titles):
        line, pair = divmod(number, pairs_a_line)
        shown = ((title, originals[number]), ("reconstructed", made[number]))
        for axis, (text, image) in zip(axes[line, 2 * pair : 2 * pair + 2], shown, strict=True):
            drawn = axis.imshow(image, origin="lower", aspect="auto", vmin=0, vmax=1)
            axis.set_title(text, fontsize=7)
    figure.colorbar(drawn, ax=axes, shrink=0.6, label="log-mel, scaled")
    return figure


def _write_nearest(path: Path, model: Model, pairs: Pairs, rows, scores: np.ndarray) -> None:
    vocabulary = model.vocabulary
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["id", "tags", "nearest_tags"])
    for row, score in zip(rows, scores, strict=True):
        own = [vocabulary[tag] for tag in pairs.tags[row].tolist() if tag < len(vocabulary)]
        nearest = [model.tags[tag] for tag in np.argsort(-score, kind="stable")[:NEAREST]]
        table.writerow(map(cell, (pairs.ids[row], " ".join(own), " ".join(nearest))))
    with store.replacing(path) as part:
        part.write_text(text.getvalue())


def _save(figure: Figure, path: Path) -> None:
    with store.replacing(path) as part:
        FigureCanvasAgg(figure).print_figure(part, format="png", dpi=120)
