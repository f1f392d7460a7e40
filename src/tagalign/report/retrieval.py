"""Retrieval on the validation pairs: recall, ranks and precision beside chance."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tagalign.errors import InputError
from tagalign.evaluate.retrieval import AT, chance_precision, chance_rank, chance_recall
from tagalign.evaluate.stage_files import Queries, RetrievalFile
from tagalign.report.results import SYSTEMS
from tagalign.report.table import markdown

DIRECTIONS = {
    "sounds_to_tags": "Sounds to tag sets",
    "tags_to_sounds": "Tag sets to sounds",
    "sounds_to_sounds": "Sounds to sounds that share a tag",
    "hidden_tags": "Hidden tags to sounds",
}
DRAWS_AT_ONCE = 50


@dataclass
class _Seeds:
    """Queries of one direction and system, the same for all its seeds."""

    rank: np.ndarray  # (seeds, queries)
    precision: np.ndarray
    first: Queries


def retrieval_of(paths: Iterable[str | os.PathLike], settings: dict) -> pd.DataFrame:
    """Make the table of retrieval.

    Parameters
    ----------
    paths
        Files of stage ``retrieve``, perhaps of several runs with different word models.
    settings
        Section ``report`` of the configuration.

    Returns
    -------
    DataFrame
        A row per direction, system, word model and metric. Columns: direction, system, words (kind
        of the word model), pretraining_seeds, queries, candidates (mean over queries), metric
        (``R@1``, ``R@5``, ``R@10``, ``mAP@10`` in per cent, ``median_rank``), value, low, high
        (bootstrap over recordings, of hidden tags over tags, with Student's t for seeds), chance,
        and note, where a system cannot do it.

    Raises
    ------
    InputError
        A file is given twice, or the seeds of a system searched different pairs.
    """
    groups: dict[tuple[str, str], dict[int, RetrievalFile]] = defaultdict(dict)
    for path in paths:
        file = RetrievalFile.read(path)
        key, seed = (file.system, file.words), int(file.pretraining_seed)
        if seed in groups[key]:
            raise InputError(
                f"{path}: the retrieval of {file.system} ({file.words}) from seed {seed} is given"
                " twice; name each file once"
            )
        groups[key][seed] = file
    order = sorted(groups, key=lambda key: (_rank(key[0]), key))
    rows = []
    for direction in DIRECTIONS:
        for key in order:
            files = [groups[key][seed] for seed in sorted(groups[key])]
            rows += _rows(direction, key, files, settings)
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [
    "direction",
    "system",
    "words",
    "pretraining_seeds",
    "queries",
    "candidates",
    "metric",
    "value",
    "low",
    "high",
    "chance",
    "note",
]


def _rank(system: str) -> int:
    return SYSTEMS.index(system) if system in SYSTEMS else len(SYSTEMS)


def _rows(
    direction: str, key: tuple[str, str], files: list[RetrievalFile], settings: dict
) -> list[dict]:
    common = {
        "direction": direction,
        "system": key[0],
        "words": key[1],
        "pretraining_seeds": len(files),
    }
    found = [getattr(file, direction) for file in files]
    if any(queries is None for queries in found):
        first = files[0]
        has_tags = first.tags_to_sounds is not None
        if direction == "hidden_tags" and first.hidden and has_tags and first.failed:
            reason = first.failed[0][1]
            empty = {"queries": 0, "candidates": None, "metric": "mAP@10", "note": reason}
            return [common | empty]
        return []
    first = found[0]
    if any(other.query != first.query for other in found):
        raise InputError(
            f"the seeds of {key[0]} ({key[1]}) searched different pairs; retrieve all again"
        )
    seeds = _Seeds(
        np.stack([queries.rank for queries in found]),
        np.stack([queries.precision for queries in found]),
        first,
    )
    common |= {
        "queries": len(first.query),
        "candidates": round(float(first.candidates.mean()), 1),
        "note": "",
    }
    counts = first.candidates, first.relevant
    rows = []
    for k in AT:
        each, chance = seeds.rank <= k, chance_recall(*counts, k).mean()
        rows.append(_mean_row(f"R@{k}", each.astype(float), chance, first.group, settings))
    chance = chance_precision(*counts).mean()
    rows.append(_mean_row("mAP@10", seeds.precision, chance, first.group, settings))
    value, low, high = _median(seeds.rank, first.group, settings)
    rank = {"value": value, "low": low, "high": high, "chance": chance_rank(*counts)}
    rows.append({"metric": "median_rank"} | rank)
    return [common | row for row in rows]


def _mean_row(
    metric: str, each: np.ndarray, chance: float, group: list[str], settings: dict
) -> dict:
    """A row of a metric that is a mean over queries, in per cent."""
    per_query = each.mean(axis=0)
    names, number = np.unique(group, return_inverse=True)
    sums, counts = np.bincount(number, per_query), np.bincount(number)
    random = np.random.default_rng(settings["seed"])
    samples = [
        times @ sums / (times @ counts) for times in _draws(random, len(names), settings["draws"])
    ]
    low, high = _ends(np.concatenate(samples), each.mean(axis=1), random, settings)
    values = (per_query.mean(), max(low, 0), min(high, 1), chance)
    return {"metric": metric} | {
        name: round(100 * float(value), 2)
        for name, value in zip(("value", "low", "high", "chance"), values, strict=True)
    }


def _median(rank: np.ndarray, group: list[str], settings: dict) -> tuple[float, float, float]:
    """Median rank over queries and seeds, and its interval."""
    names, number = np.unique(group, return_inverse=True)
    number = np.tile(number, len(rank))
    order = np.argsort(rank.ravel(), kind="stable")
    ordered, number = rank.ravel()[order], number[order]
    random = np.random.default_rng(settings["seed"])
    samples = []
    for times in _draws(random, len(names), settings["draws"]):
        reached = np.cumsum(times[:, number], axis=1)
        samples.append(ordered[(reached * 2 < reached[:, -1:]).sum(axis=1)].astype(float))
    low, high = _ends(np.concatenate(samples), np.median(rank, axis=1), random, settings)
    return float(np.median(rank)), max(round(low, 1), 1.0), round(high, 1)


def _draws(random: np.random.Generator, groups: int, draws: int) -> Iterator[np.ndarray]:
    """How often each group is drawn [shape=(part, groups)], in parts of the draws."""
    share = np.full(groups, 1 / groups)
    for start in range(0, draws, DRAWS_AT_ONCE):
        yield random.multinomial(groups, share, min(DRAWS_AT_ONCE, draws - start))


def _ends(
    samples: np.ndarray, runs: np.ndarray, random: np.random.Generator, settings: dict
) -> tuple[float, float]:
    """The interval of samples, to which the variation between seeds is added."""
    k = len(runs)
    if k > 1:
        error = np.sqrt(np.var(runs, ddof=1) / k)
        samples = samples + random.standard_t(k - 1, len(samples)) * error
    tail = (1 - settings["confidence"]) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def section(table: pd.DataFrame, settings: dict) -> str:
    """The text of the report: a table per direction."""
    parts = ["## Retrieval on the validation pairs"]
    for direction, title in DIRECTIONS.items():
        part = table[table["direction"] == direction]
        if len(part):
            parts += [f"### {title}", markdown(_readable(part))]
    parts.append(
        "In brackets: the interval"
        f" ({100 * settings['confidence']:g} %, bootstrap over recordings, of hidden tags over"
        " tags, with Student's t for pretraining seeds) and what chance finds. R@k is the share of"
        " queries with something relevant in the first k places, mAP@10 the mean average precision"
        " of the first ten. Hidden tags were withheld from the training of the tag encoder"
        " (`pairs.hidden_tags`); the word model knows them. In `retrieval.csv` as numbers."
    )
    return "\n\n".join(parts)


def _readable(part: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (system, words), some in part.groupby(["system", "words"], sort=False):
        row = {"System": system, "Words": words, "Queries": int(some["queries"].iloc[0])}
        by_metric = some.set_index("metric")
        for metric in (*(f"R@{k}" for k in AT), "median_rank", "mAP@10"):
            title = metric.replace("_", " ")
            values = by_metric["value"].dropna()
            if metric not in values.index:
                row[title] = "cannot" if row["Queries"] == 0 else "-"
                continue
            names = ["value", "low", "high", "chance"]
            value, low, high, chance = map(float, by_metric.loc[metric, names])
            row[title] = f"{value:.1f} ({low:.1f} to {high:.1f}; chance {chance:.1f})"
        rows.append(row)
    notes = [note for note in dict.fromkeys(part["note"]) if note]
    table = pd.DataFrame(rows)
    if notes:
        table["Note"] = [
            next((n for n in part[part["system"] == system]["note"] if n), "")
            for system in table["System"]
        ]
    return table
