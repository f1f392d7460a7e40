"""Stage `report`: all files of a run's results."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tagalign.errors import InputError
from tagalign.report import contrasts, figures, losses, page, retrieval, table
from tagalign.report import zeroshot as zero
from tagalign.report.html import html
from tagalign.report.recorded import read_recorded
from tagalign.report.results import read_results
from tagalign.report.statistics import compare_all
from tagalign.sources.table import cell


def write_report(
    directory: str | os.PathLike,
    scores: Sequence[str | os.PathLike],
    settings: dict,
    *,
    title: str,
    models: Sequence[str | os.PathLike] = (),
    counted: Sequence[str | os.PathLike] = (),
    searched: Sequence[str | os.PathLike] = (),
    zeroshot: Sequence[str | os.PathLike] = (),
) -> tuple[str, list[Path]]:
    """Write table, figures and report of a run.

    Files: ``table.csv``, ``table.md``, ``scores.csv`` (every fold and repetition),
    ``contrasts.csv``, ``comparisons.csv``, ``losses.csv``, ``retrieval.csv``, ``zeroshot.csv``,
    ``figures/accuracy.png``, ``figures/training.png`` (where a model has a history),
    ``figures/confusion-TASK.png`` (best system of each task), an SVG and a PDF beside each
    figure, ``report.md`` and ``report.html``, which needs no other file.

    Parameters
    ----------
    directory
        Where they go.
    scores
        Files of stage ``evaluate``.
    settings
        Section ``report`` of the configuration.
    title
        Heading of the report.
    models
        Model files, for the training curves.
    counted
        Files of any stage whose left-out sounds are counted, and of stage ``leaks``.
    searched, zeroshot
        Files of the stages ``retrieve`` and ``zeroshot``. Where there are no scores, there is
        a report of the retrieval alone.

    Returns
    -------
    text : str
        The table for a terminal.
    files : list of Path
        What was written.

    Raises
    ------
    InputError
        There are no scores, or they do not fit together.
    """
    directory = Path(directory)
    found = retrieval.retrieval_of(searched, settings)
    about_search = retrieval.section(found, settings) if len(found) else ""
    if not scores:
        if not len(found):
            raise InputError("no score file was given; run `tagalign evaluate` first")
        texts = {"retrieval.csv": _csv(found), "report.md": f"# {title}\n\n{about_search}\n"}
        for name, text in texts.items():
            table.write_text(directory / name, text)
        return about_search, [directory / name for name in texts]
    results = read_results(scores)
    numbers = table.table_of(results, settings)
    comparisons = table.comparisons_of(compare_all(results), settings)
    planned = contrasts.contrasts_of(results, settings)
    shown = table.readable(numbers, settings)
    by_tags = zero.zeroshot_of(read_results(zeroshot), results, settings)
    sections = [zero.section(by_tags) if len(by_tags) else "", about_search]
    lost, leaks = losses.count_losses(counted), losses.count_leaks(counted)
    texts = {
        "table.csv": numbers.to_csv(index=False, lineterminator="\n"),
        "table.md": table.markdown(shown),
        "scores.csv": table.per_fold(results).map(_cell).to_csv(index=False, lineterminator="\n"),
        "contrasts.csv": _csv(planned),
        "comparisons.csv": comparisons.map(_cell).to_csv(index=False, lineterminator="\n"),
        "losses.csv": lost.map(_cell).to_csv(index=False, lineterminator="\n"),
    }
    texts |= {"retrieval.csv": _csv(found), "zeroshot.csv": _csv(by_tags)}
    drawn = _draw(directory, numbers, results, settings, models)
    texts["report.md"] = page.page(
        title, shown, planned, comparisons, lost, leaks, drawn, settings, sections
    )
    texts["report.html"] = html(
        title,
        shown,
        planned,
        comparisons,
        lost,
        page.warnings(leaks),
        [(caption, directory / file) for caption, file in drawn],
        results,
        read_recorded(scores, models, counted),
        found,
        by_tags,
    )
    for name, text in texts.items():
        table.write_text(directory / name, text)
    files = [directory / name for name in (*texts, *(file for _, file in drawn))]
    return "\n".join([table.plain(shown), *page.warnings(leaks)]), files


def _draw(directory, numbers, results, settings, models) -> list[tuple[str, str]]:
    """Draw the figures; (caption, file relative to the directory) of each."""
    file = "figures/accuracy.png"
    figures.accuracies(directory / file, numbers, settings["confidence"], results)
    drawn = [("Accuracy of each system with its interval", file)]
    file = "figures/training.png"
    if figures.training_curves(directory / file, models):
        drawn.append(("Training of the systems; dashed: training, solid: validation", file))
    for task in dict.fromkeys(result.task for result in results):
        best = max((r for r in results if r.task == task), key=lambda r: r.mean)
        if best.confusion is None:
            continue  # a clip of several classes is confused with none
        file = f"figures/confusion-{task}.png"
        figures.confusion_matrix(directory / file, best)
        drawn.append((f"Confusion matrix of the best system on {best.title}", file))
    return drawn


def _csv(frame: pd.DataFrame) -> str:
    """A table as CSV, in which no text begins as a formula."""
    return frame.map(_cell).to_csv(index=False, lineterminator="\n")


def _cell(value):
    return cell(value) if isinstance(value, str) else value
