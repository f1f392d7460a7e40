"""The table of results: one row per task and system."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tagalign import store
from tagalign.evaluate.metrics import METRICS
from tagalign.report.paper import published
from tagalign.report.results import Result
from tagalign.report.statistics import Comparison, interval
from tagalign.report.verdict import Spread, judge, seed_spread

SHOWN_BESIDE = ("macro_f1", "roc_auc")
"""Metrics beside the headline in the table for people."""


def table_of(results: list[Result], settings: dict) -> pd.DataFrame:
    """Make the table; values are in per cent.

    Columns: system, task, metric (the headline), pretraining_seeds, repetitions, clips, missing
    (test clips that the data set lacks or that cannot be read), unscored (others without an
    embedding), unscored_are ("wrong": both are among the clips, as errors; "drop": not among
    them), coverage (share of the test clips that have an embedding), mean, standard_deviation
    (over all seeds and repetitions), seed_deviation (over the means of the seeds), low and high
    (the interval), the other metrics by name, paper, difference (ours minus the paper's),
    difference_low and difference_high (its interval), verdict ("reproduced", "differs",
    "inconclusive", or "other clips" where unscored clips are among ours, which the paper leaves
    out).
    """
    spreads = {
        task: seed_spread([result for result in results if result.task == task])
        for task in dict.fromkeys(result.task for result in results)
    }
    rows = []
    for result in results:
        low, high = interval(
            result,
            confidence=settings["confidence"],
            draws=settings["draws"],
            seed=settings["seed"],
        )
        runs = 100 * result.values.mean(axis=2)  # (seeds, repetitions)
        paper = published(result.system, result.task, len(result.clip_id))
        absent = result.missing + result.unscored
        other_clips = absent > 0 and result.unscored_are == "wrong"
        comparable = paper is not None and not other_clips
        mean, low, high = (round(100 * x, 2) for x in (result.mean, low, high))
        rows.append(
            {
                "system": result.system,
                "task": result.task,
                "metric": result.headline.name,
                "pretraining_seeds": len(result.seeds),
                "repetitions": runs.shape[1],
                "clips": len(result.clip_id),
                "missing": result.missing,
                "unscored": result.unscored,
                "unscored_are": result.unscored_are,
                "coverage": _coverage(result),
                "mean": mean,
                "standard_deviation": _deviation(runs.ravel()),
                "seed_deviation": _deviation(runs.mean(axis=1)),
                "low": low,
                "high": high,
                **{
                    name: round(100 * float(values.mean()), 2)
                    for name, values in result.metrics.items()
                    if name != result.headline.name
                },
                "paper": paper,
                **_compared(result, paper, spreads[result.task], comparable, settings),
            }
        )
    return pd.DataFrame(rows)


def _compared(
    result: Result, paper: float | None, spread: Spread, comparable: bool, settings: dict
) -> dict:
    """The columns that compare a score with the paper's."""
    if paper is None or not comparable:
        word = "" if paper is None else "other clips"
        return dict.fromkeys(("difference", "difference_low", "difference_high")) | {
            "verdict": word
        }
    found = judge(
        result,
        paper / 100,
        spread,
        margin=settings["margin"] / 100,
        confidence=settings["confidence"],
    )
    values = {
        "difference": found.difference,
        "difference_low": found.low,
        "difference_high": found.high,
    }
    points = {
        name: None if value is None else round(100 * value, 2) for name, value in values.items()
    }
    return points | {"verdict": found.word}


def _deviation(values) -> float | None:
    return round(float(values.std(ddof=1)), 2) if len(values) > 1 else None


def comparisons_of(comparisons: list[Comparison], settings: dict) -> pd.DataFrame:
    """The paired tests as a table, differences and standard errors in points.

    Where the variation of one of them is unknown there is no p value.
    """
    return pd.DataFrame(
        [
            {
                "task": pair.task,
                "system_a": pair.system_a,
                "system_b": pair.system_b,
                "difference": round(100 * pair.difference, 2),
                "standard_error": round(100 * pair.standard_error, 2),
                "p": None if pair.unknown else float(f"{pair.p:.3g}"),
                "p_holm": None if pair.unknown else float(f"{pair.p_holm:.3g}"),
                "significant": _significant(pair, settings["significance"]),
            }
            for pair in comparisons
        ],
        columns=[
            "task",
            "system_a",
            "system_b",
            "difference",
            "standard_error",
            "p",
            "p_holm",
            "significant",
        ],
    )


def _significant(pair: Comparison, significance: float) -> str:
    if pair.unknown:
        return "unknown"
    return "yes" if pair.p_holm < significance else "no"


def per_fold(results: list[Result]) -> pd.DataFrame:
    """Every score: one row per task, system, seed, repetition and fold, in per cent."""
    rows = [
        {
            "system": result.system,
            "task": result.task,
            "seed": seed,
            "repetition": repetition,
            "fold": int(fold),
        }
        | {
            name: round(100 * values[i, repetition, j], 4)
            for name, values in result.metrics.items()
        }
        for result in results
        for i, seed in enumerate(result.seeds)
        for repetition in range(result.values.shape[1])
        for j, fold in enumerate(result.tested)
    ]
    return pd.DataFrame(rows)


def readable(table: pd.DataFrame, settings: dict) -> pd.DataFrame:
    """The table with one decimal, the interval in one column and headings for people."""
    level = f"{100 * settings['confidence']:g} % interval"
    shown = pd.DataFrame(
        {
            "Task": table["task"],
            "System": table["system"],
            "Seeds": table["pretraining_seeds"].astype(str),
            "Repetitions": table["repetitions"].astype(str),
            "Clips": table["clips"].astype(str),
            _headline(table): table["mean"].map("{:.1f}".format),
            "Deviation": table["standard_deviation"].map(_shown),
            level: [
                f"{low:.1f} to {high:.1f}"
                for low, high in zip(table["low"], table["high"], strict=True)
            ],
        }
    )
    if table["metric"].nunique() > 1:
        shown.insert(2, "Metric", table["metric"].map(lambda name: METRICS[name].title))
    for name in SHOWN_BESIDE:
        if name in table:
            shown[METRICS[name].title] = table[name].map(_shown)
    if table["paper"].notna().any():
        shown["Paper"] = table["paper"].map(_shown)
        shown["Difference"] = table["difference"].map(lambda x: _shown(x, "{:+.1f}"))
        shown["Its interval"] = [
            "-" if pd.isna(low) else f"{low:+.1f} to {high:+.1f}"
            for low, high in zip(table["difference_low"], table["difference_high"], strict=True)
        ]
        shown["Verdict"] = table["verdict"].replace("", "-")
    if table[["missing", "unscored"]].any(axis=None):
        words = {"wrong": "as wrong", "drop": "left out"}
        shown["Missing"] = table["missing"].astype(str)
        shown["Unscored"] = table["unscored"].astype(str)
        shown["They count"] = table["unscored_are"].map(words)
        shown["Coverage %"] = (100 * table["coverage"]).map("{:.1f}".format)
    return shown


def _headline(table: pd.DataFrame) -> str:
    names = table["metric"].unique()
    return f"{METRICS[names[0]].title} %" if len(names) == 1 else "Score %"


def _coverage(result: Result) -> float:
    """Share of the test clips that have an embedding."""
    absent = result.missing + result.unscored
    clips = len(result.clip_id) + (absent if result.unscored_are == "drop" else 0)
    return round(1 - absent / clips, 4)


def _shown(value, form: str = "{:.1f}") -> str:
    return "-" if pd.isna(value) else form.format(value)


def markdown(frame: pd.DataFrame) -> str:
    """A table in Markdown; what strangers wrote stays text."""
    rows = [[escape_markdown(cell) for cell in row] for row in frame.astype(str).to_numpy()]
    lines = [frame.columns, ["---"] * len(frame.columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is: no markup, link, code or further cell comes of it."""
    return re.sub(r"([\\`*|<\[\]])", r"\\\1", " ".join(text.split()))


def plain(frame: pd.DataFrame) -> str:
    """A table in columns for a terminal."""
    rows: Sequence = [list(frame.columns), *frame.astype(str).to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears only when it is whole."""
    with store.replacing(path) as part:
        part.write_text(text, encoding="utf-8")
