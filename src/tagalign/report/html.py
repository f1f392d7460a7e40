"""The report as one HTML file that needs nothing else: it opens offline, prints, fits a phone."""

import base64
import itertools
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
from sklearn.manifold import TSNE

from tagalign.report.recorded import Recorded
from tagalign.report.results import Result

TEMPLATE = "report.html.j2"
MAPPED = 300
"""Most frequent tags on the map of the vocabulary; more could not be told apart."""
LISTED = 40
BINS = (0, 1, 2, 5, 10, 30, 60, 300, np.inf)
"""Edges of the classes of duration, in seconds."""


def html(
    title: str,
    shown: pd.DataFrame,
    planned: pd.DataFrame,
    comparisons: pd.DataFrame,
    losses: pd.DataFrame,
    warnings: Sequence[str],
    drawn: Sequence[tuple[str, Path]],
    results: Sequence[Result],
    recorded: Recorded,
    retrieval: pd.DataFrame,
    zeroshot: pd.DataFrame,
) -> str:
    """The text of ``report.html``.

    Parameters
    ----------
    title
        Heading of the page.
    shown
        The table for people.
    planned
        What `tagalign.report.contrasts.contrasts_of` returns.
    comparisons
        Paired tests between systems.
    losses
        What `tagalign.report.losses.count_losses` returns.
    warnings
        Lines above the table.
    drawn : list of (caption, file)
        The figures; of each, the SVG beside it is taken.
    results
        Their confusions are shown with counts.
    recorded
        What the files say of themselves.
    retrieval, zeroshot
        Their tables; empty where the stage has not run.
    """
    template = files("tagalign") / "resources" / TEMPLATE
    # Everything that is filled in was written by strangers: names, tags, authors, licences.
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    figures = {path.stem: (caption, _data_uri(path.with_suffix(".svg"))) for caption, path in drawn}
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        title=title,
        shown=_rows(shown),
        contrasts=_rows(planned.astype(object).where(planned.notna(), "-")),
        comparisons=_rows(comparisons.astype(object).where(comparisons.notna(), "-")),
        losses=losses.to_dict("records"),
        most=max(losses["kept"] + losses["lost"], default=0),
        warnings=warnings,
        figures=figures,
        confusions=[result for result in _best(results) if result.confusion is not None],
        durations=_count_durations(recorded.durations),
        points=map_words(recorded),
        recorded=recorded,
        retrieval=_rows(retrieval.astype(object).where(retrieval.notna(), "-")),
        zeroshot=_rows(zeroshot.astype(object).where(zeroshot.notna(), "-")),
        differing=sum(paper is not None for _, _, paper in recorded.settings),
        listed=LISTED,
    )


def map_words(recorded: Recorded) -> list[tuple[float, float, float, str]]:
    """Place the most frequent tags by t-SNE of their word vectors.

    Returns
    -------
    list of (x, y, radius, label)
        Positions in a square from 0 to 100; empty where there are fewer than five tags.
    """
    if recorded.words is None or len(recorded.words[0]) < 5:
        return []
    vocabulary, vectors, counts = recorded.words
    rows = np.argsort(-np.asarray(counts), kind="stable")[:MAPPED]
    perplexity = min(30, (len(rows) - 1) / 3)
    model = TSNE(perplexity=perplexity, init="pca", metric="cosine", random_state=0, n_jobs=1)
    places = model.fit_transform(np.asarray(vectors, np.float32)[rows])
    low, high = places.min(axis=0), places.max(axis=0)
    places = 3 + 94 * (places - low) / np.maximum(high - low, 1e-9)
    most = max(max(counts), 1)
    return [
        (round(float(x), 2), round(float(y), 2), round(0.5 + (counts[row] / most) ** 0.5, 2),
         f"{vocabulary[row]}: {counts[row]} sounds")
        for row, (x, y) in zip(rows, places, strict=True)
    ]  # fmt: skip


def _best(results: Sequence[Result]) -> list[Result]:
    """The best system of each task."""
    tasks = dict.fromkeys(result.task for result in results)
    return [max((r for r in results if r.task == task), key=lambda r: r.mean) for task in tasks]


def _count_durations(durations: np.ndarray | None) -> list[tuple[str, int]]:
    if durations is None or not len(durations):
        return []
    counts, _ = np.histogram(durations, BINS)
    labels = [
        f"{low:g} to {high:g} s" if np.isfinite(high) else f"over {low:g} s"
        for low, high in itertools.pairwise(BINS)
    ]
    return list(zip(labels, counts.tolist(), strict=True))


def _rows(frame: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    return [str(name) for name in frame.columns], frame.astype(str).to_numpy().tolist()


def _data_uri(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()
