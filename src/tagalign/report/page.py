"""The report: one Markdown page with the table, the figures and what was left out."""

from collections.abc import Sequence

import pandas as pd

from tagalign.report.table import escape_markdown, markdown


def page(
    title: str,
    shown: pd.DataFrame,
    planned: pd.DataFrame,
    comparisons: pd.DataFrame,
    losses: pd.DataFrame,
    leaks: dict[str, int],
    figures: list[tuple[str, str]],
    settings: dict,
    sections: Sequence[str] = (),
) -> str:
    """The text of ``report.md``.

    Parameters
    ----------
    title
        Heading of the page.
    shown
        The table for people.
    planned
        What `tagalign.report.contrasts.contrasts_of` returns.
    comparisons
        Paired tests between systems, counted in one sentence.
    losses
        What `tagalign.report.losses.count_losses` returns.
    leaks
        What `tagalign.report.losses.count_leaks` returns.
    figures : list of (caption, file)
        Files relative to the page.
    settings
        Section ``report`` of the configuration.
    sections
        Further text, after the comparisons.
    """
    parts = [
        f"# {escape_markdown(title)}",
        "## Scores",
        markdown(shown),
        _how_to_read(shown, settings),
    ]
    parts += warnings(leaks)
    for caption, file in figures:
        caption = escape_markdown(caption)
        parts.append(f"![{caption}]({file})\n\n*{caption}*")
    if len(planned):
        parts += ["## What the paper claims of its systems", _planned(planned, settings)]
    if len(comparisons):
        parts += ["## Differences between single systems", _comparisons(comparisons, settings)]
    parts += sections
    if len(losses):
        parts += ["## What was left out, and why", _losses(losses)]
    return "\n\n".join(part for part in parts if part) + "\n"


def warnings(leaks: dict[str, int]) -> list[str]:
    """One line per task that was tested on sounds that pretraining has seen."""
    return [
        f"Warning: pretraining has seen {count} test recordings of {task} (the configuration"
        " allows it: evaluate.allow_leaks); its accuracies are too high."
        for task, count in sorted(leaks.items())
    ]


def _how_to_read(shown: pd.DataFrame, settings: dict) -> str:
    lines = [
        "The score (accuracy, or mAP where clips have several labels) is the mean over folds,"
        " repetitions of the classifier and pretraining seeds;"
        " the deviation is over repetitions and seeds. The interval is a bootstrap"
        f" ({settings['draws']} draws, {100 * settings['confidence']:g} %) over recordings (of"
        " NSynth: instruments), whose clips are not independent, with Student's t for pretraining"
        " seeds (two make it very wide: take three or more; for repetitions where there is one"
        " seed: it then leaves out the variation between pretraining seeds)."
    ]
    if "Paper" in shown:
        lines.append(
            "A difference to the paper has an interval from the variation between pretraining"
            " seeds, pooled over the systems of a task, the paper's single pretraining included;"
            f" the test recordings are the same. It is reproduced within {settings['margin']:g}"
            " points if the whole interval is, differs if the whole interval is outside, and else"
            " the runs are too few to say: inconclusive (always so with one seed for each system)."
        )
        if (shown["Verdict"] == "other clips").any():
            lines.append(
                "Where unscored clips count as wrong (other clips) there is no difference to the"
                " paper, whose accuracy is over the clips that could be scored;"
                " evaluate.unscored: drop makes the two comparable."
            )
    if shown["Task"].eq("gtzan").any():
        lines.append(
            "GTZAN has several excerpts of some artists; the interval does not know which, and is"
            " narrower than it should be."
        )
    if "Unscored" in shown:
        lines.append(
            "Missing clips are those that the data set lacks or that cannot be read; unscored ones"
            " have no embedding from this system (no known tag). Both count as wrong, or are left"
            " out of clips and score, as the table says; coverage is the share of the others."
        )
    return " ".join(lines)


def _planned(planned: pd.DataFrame, settings: dict) -> str:
    text = (
        "Each effect is pooled over the other factor, in points; its interval is from the variation"
        " between pretraining seeds, pooled over the systems of the task, and p is corrected for"
        f" the three contrasts of a task (Holm, {settings['significance']:g}). With one seed for"
        " each system the variation is unknown."
    )
    table = planned.astype(object).where(planned.notna(), "-")
    table.columns = [
        *("Task", "Contrast", "Systems", "Seeds", "Effect", "From", "To", "p", "p, corrected"),
        "Significant",
    ]
    return text + "\n\n" + markdown(table)


def _comparisons(comparisons: pd.DataFrame, settings: dict) -> str:
    known = comparisons[comparisons["significant"] != "unknown"]
    unknown = len(comparisons) - len(known)
    lines = []
    if len(known):
        lines.append(
            f"{(known['significant'] == 'yes').sum()} of {len(known)} differences are significant"
            f" at {settings['significance']:g} (paired t test over recordings and runs, Holm's"
            " correction for the comparisons of a task)."
        )
    if unknown:
        lines.append(
            f"{unknown} differences are not tested: with one pretraining seed the variation between"
            " seeds is unknown."
        )
    return " ".join([*lines, "All are in `comparisons.csv`."])


def _losses(losses: pd.DataFrame) -> str:
    table = losses.rename(
        columns={
            "stage": "Stage",
            "kept": "Kept",
            "lost": "Left out",
            "reason": "Reason",
            "count": "Of these",
        }
    )
    first = ~table["Stage"].duplicated()
    for column in ("Stage", "Kept", "Left out"):
        table[column] = table[column].astype(str).where(first, "")
    table["Of these"] = table["Of these"].where(table["Reason"] != "", "-")
    table["Reason"] = table["Reason"].replace("", "-")
    return markdown(table)
