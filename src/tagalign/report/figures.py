"""Figures of the report as PNG, SVG and PDF; the same data give the same bytes."""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tagalign import store
from tagalign.evaluate.metrics import METRICS
from tagalign.model.layout import ModelFile
from tagalign.report.plain_text import draw_plain_text
from tagalign.report.results import SYSTEMS, Result

draw_plain_text()

DPI = 150
GREY, BLACK = "#8a8a8a", "#222222"
FORMATS = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Suffix of each file of a figure, and the metadata that it goes without."""
BASELINES = {"mfcc": "#8a8a8a", "untrained": "#444444"}
# Okabe and Ito's colours without yellow and black, then Tol's muted ones: told apart by all.
COLOURS = (
    *("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"),
    *("#332288", "#882255", "#999933", "#44aa99"),
)


def colour_of(system: str) -> str:
    """The colour of a system, the same in every figure."""
    if system in BASELINES:
        return BASELINES[system]
    if system in SYSTEMS:
        return COLOURS[(SYSTEMS.index(system) - len(BASELINES)) % len(COLOURS)]
    return COLOURS[zlib.crc32(system.encode()) % len(COLOURS)]


def accuracies(
    path: str | os.PathLike, table: pd.DataFrame, confidence: float, results: Sequence[Result]
) -> None:
    """Draw a panel per task: accuracy and interval of each system, the paper's number beside it.

    Parameters
    ----------
    path
        The PNG file to write.
    table
        What `tagalign.report.table.table_of` returns.
    confidence
        Level of the intervals, for the legend.
    results
        What the table was made from, for the titles of the tasks and the line of chance.
    """
    by_task = {result.task: result for result in results}
    tasks = list(dict.fromkeys(table["task"]))
    rows = max(int((table["task"] == task).sum()) for task in tasks)
    columns = 2 if len(tasks) == 4 else min(len(tasks), 3)
    lines = -(-len(tasks) // columns)
    size = (max(4.3 * columns, 6.4), (1.5 + 0.36 * rows) * lines)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for axis in axes[len(tasks) :]:
        axis.remove()
    drawn = {}
    for axis, task in zip(axes, tasks, strict=False):
        part = table[table["task"] == task].reset_index(drop=True)
        drawn |= _accuracy_panel(axis, part, by_task[task], confidence)
    figure.legend(
        drawn.values(), drawn.keys(), loc="outside lower center", ncols=len(drawn), frameon=False
    )
    _save(figure, path)


def _accuracy_panel(axis, part: pd.DataFrame, result: Result, confidence: float) -> dict:
    y = np.arange(len(part))
    colours = [colour_of(system) for system in part["system"]]
    axis.hlines(y, part["low"], part["high"], color=colours, linewidth=2.2, alpha=0.55)
    axis.scatter(part["mean"], y, color=colours, s=34, zorder=3)
    handles = {f"mean and {100 * confidence:g} % interval": axis.scatter([], [], color=GREY)}
    if part["paper"].notna().any():
        handles["paper"] = axis.scatter(
            part["paper"], y, marker="D", s=44, facecolors="none", edgecolors=BLACK, zorder=4
        )
    shown = part[["low", "high", "paper"]].astype(float).to_numpy().ravel()
    if result.confusion is not None:  # of several labels there is no single chance
        chance = 100 / len(result.classes)
        handles["chance"] = axis.axvline(chance, color=GREY, linestyle=":", linewidth=1.4)
        shown = np.append(shown, chance)
    left, right = np.nanmin(shown), np.nanmax(shown)
    margin = 0.06 * max(right - left, 5)
    axis.set_xlim(max(left - margin, 0), min(right + margin, 100))
    for row, mean in zip(y, part["mean"], strict=True):
        axis.text(
            1.02,
            row,
            f"{mean:.1f}",
            va="center",
            fontsize=9,
            transform=axis.get_yaxis_transform(),
        )
    axis.set_yticks(y, part["system"])
    axis.set_ylim(len(part) - 0.4, -0.6)
    axis.set_xlabel(f"{METRICS[part['metric'].iloc[0]].title} (%)")
    title = f"{result.title} ({part['clips'].iloc[0]:,} test clips)"
    axis.set_title(title, fontsize=11, loc="left")
    _plain_axis(axis, "x")
    return handles


def training_curves(path: str | os.PathLike, models: Sequence[str | os.PathLike]) -> bool:
    """Draw a panel per training metric: a line per system, thin ones for its seeds.

    A metric shares its panel with the one whose name has the prefix ``validation_``.

    Returns
    -------
    bool
        False where no model has a history; then nothing is drawn.
    """
    curves = _read_histories(models)
    quantities = list(dict.fromkeys(quantity for _, quantity, _ in curves))
    if not quantities:
        return False
    columns = min(len(quantities), 3)
    lines = -(-len(quantities) // columns)
    figure = Figure(figsize=(4.2 * columns + 0.4, 3.1 * lines + 0.6), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for axis in axes[len(quantities) :]:
        axis.remove()
    handles = {}
    for axis, quantity in zip(axes, quantities, strict=False):
        for (system, name, kind), seeds in curves.items():
            if name != quantity:
                continue
            colour = colour_of(system)
            style = (0, (2, 2)) if kind == "training" else "-"
            for values in seeds if len(seeds) > 1 else ():
                axis.plot(
                    _epochs(values),
                    values,
                    linestyle=style,
                    color=colour,
                    linewidth=0.6,
                    alpha=0.4,
                )
            shortest = min(map(len, seeds))
            mean = np.mean([values[:shortest] for values in seeds], axis=0)
            (line,) = axis.plot(
                _epochs(mean),
                mean,
                linestyle=style,
                color=colour,
                linewidth=1.8,
                marker="o" if shortest < 3 else "",
            )
            if kind != "training":
                handles.setdefault(system, line)
        axis.set_title(quantity.replace("_", " "), fontsize=11, loc="left")
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        _plain_axis(axis, "both")
    if any(kind == "training" for _, _, kind in curves):
        for kind, style in (("validation", "-"), ("training", (0, (2, 2)))):
            handles[kind] = Line2D([], [], color=GREY, linestyle=style)
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=min(len(handles), 2 * columns),
        frameon=False,
        fontsize=9,
    )
    _save(figure, path)
    return True


def _read_histories(models) -> dict[tuple[str, str, str], list[np.ndarray]]:
    """(system, quantity, "training" | "validation" | "") -> one array per seed."""
    found = {}
    for path in models:
        system, history = ModelFile.read_fields(path, "system", "history")
        for metric in sorted(history):
            quantity = metric.removeprefix("validation_")
            paired = f"validation_{quantity}" in history and quantity in history
            kind = "" if not paired else "training" if metric == quantity else "validation"
            if len(history[metric]):
                found.setdefault((system["name"], quantity, kind), []).append(history[metric])
    return found


def _epochs(values) -> np.ndarray:
    return np.arange(1, len(values) + 1)


def confusion_matrix(path: str | os.PathLike, result: Result) -> None:
    """Draw the confusion matrix of a result, in per cent of each true class."""
    counts = result.confusion
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = list(result.classes)
    if shares[:, -1].any():
        names.append("not scored")
    else:
        shares = shares[:, :-1]
    n = len(result.classes)
    side = 2.2 + 0.42 * n if n <= 15 else 2.5 + 0.2 * n
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    labels = [name.replace("_", " ") for name in names]
    axis.set_xticks(range(len(names)), labels, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(n), labels[:n])
    if n > 15:
        axis.tick_params(labelsize=7)
    else:
        for row, column in np.argwhere(shares >= 0.5):
            share = shares[row, column]
            colour = "white" if share > 55 else "#333333"
            axis.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour, size=8)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    axis.set_title(f"{result.title}: {result.system}, {100 * result.mean:.1f} %", loc="left")
    figure.colorbar(image, ax=axis, shrink=0.8, label="% of the true class")
    _save(figure, path)


def _plain_axis(axis, grid: str) -> None:
    axis.grid(axis=grid, color="#e4e4e4", linewidth=0.8)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _save(figure: Figure, path: str | os.PathLike) -> None:
    """Write a PNG, and an SVG and a PDF beside it, without the date and the program's name."""
    with matplotlib.rc_context({"svg.hashsalt": "tagalign"}):
        for suffix, metadata in FORMATS.items():
            FigureCanvasAgg(figure)
            with store.replacing(Path(path).with_suffix(suffix)) as part:
                figure.savefig(part, format=suffix[1:], dpi=DPI, metadata=metadata)
