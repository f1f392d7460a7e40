"""Figures of the report as PNG files; the same data give the same bytes."""

import os
from collections.abc import Sequence
from pathlib import Path

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
BLUE, GREY, RED = "#1f5fa8", "#8a8a8a", "#c8452d"
LINES = ("#1f5fa8", "#e08214", "#2a8f5a", "#c8452d", "#7b52a3", "#8c6239", "#d669a6", "#5c6b73")
BASELINES = ("mfcc", "untrained")


def accuracies(path: str | os.PathLike, table: pd.DataFrame, confidence: float) -> None:
    """Draw a panel per task: accuracy and interval of each system, the paper's number beside it.

    Parameters
    ----------
    path
        The PNG file to write.
    table
        What `tagalign.report.table.table_of` returns.
    confidence
        Level of the intervals, for the legend.
    """
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
        drawn |= _accuracy_panel(axis, part, task, confidence)
    figure.legend(
        drawn.values(), drawn.keys(), loc="outside lower center", ncols=len(drawn), frameon=False
    )
    _save(figure, path)


def _accuracy_panel(axis, part: pd.DataFrame, task: str, confidence: float) -> dict:
    y = np.arange(len(part))
    colours = [GREY if system in BASELINES else BLUE for system in part["system"]]
    axis.hlines(y, part["low"], part["high"], color=colours, linewidth=2.2, alpha=0.55)
    axis.scatter(part["mean"], y, color=colours, s=34, zorder=3)
    handles = {f"mean and {100 * confidence:g} % interval": axis.scatter([], [], color=BLUE)}
    if part["paper"].notna().any():
        handles["paper"] = axis.scatter(
            part["paper"], y, marker="D", s=44, facecolors="none", edgecolors=RED, zorder=4
        )
    right = np.nanmax(part[["high", "paper"]].astype(float).to_numpy())
    left = np.nanmin(part[["low", "paper"]].astype(float).to_numpy())
    span = max(right - left, 5)
    axis.set_xlim(left - 0.08 * span, right + 0.3 * span)
    for row, mean in zip(y, part["mean"], strict=True):
        axis.text(
            0.985,
            row,
            f"{mean:.1f}",
            va="center",
            ha="right",
            fontsize=9,
            transform=axis.get_yaxis_transform(),
        )
    axis.set_yticks(y, part["system"])
    axis.set_ylim(len(part) - 0.4, -0.6)
    axis.set_xlabel(f"{METRICS[part['metric'].iloc[0]].title} (%)")
    axis.set_title(f"{task} ({part['clips'].iloc[0]:,} test clips)", fontsize=11, loc="left")
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
    systems = sorted(
        {system for system, _, _ in curves},
        key=lambda name: (SYSTEMS.index(name) if name in SYSTEMS else len(SYSTEMS), name),
    )
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
            colour = LINES[systems.index(system) % len(LINES)]
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
    axis.set_title(f"{result.task}: {result.system}, {100 * result.mean:.1f} %", loc="left")
    figure.colorbar(image, ax=axis, shrink=0.8, label="% of the true class")
    _save(figure, path)


def _plain_axis(axis, grid: str) -> None:
    axis.grid(axis=grid, color="#e4e4e4", linewidth=0.8)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _save(figure: Figure, path: str | os.PathLike) -> None:
    """Write a PNG without the name of the program that made it, whole or not at all."""
    FigureCanvasAgg(figure)
    with store.replacing(Path(path)) as part:
        figure.savefig(part, format="png", dpi=DPI, metadata={"Software": None})
