"""The report: one Markdown page with the table, the figures and what was left out."""

from collections.abc import Sequence

import pandas as pd

from tagalign.report.table import escape_markdown, markdown


def page(
    title: str,
    shown: pd.DataFrame,
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
    comparisons
        Paired tests between systems.
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
    if len(comparisons):
        parts += ["## Which differences between systems are more than noise", ""]
        parts += [_comparisons(comparisons, settings)]
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
        " seed: then the noise of pretraining is not in it)."
    ]
    if "Paper" in shown:
        lines.append(
            "A difference to the paper is tested against the noise of the test recordings and of"
            " pretraining, the paper's single one included, with Holm's correction for the rows of"
            f" the table, at {settings['significance']:g}; with one seed the noise of pretraining"
            " is unknown, and nothing is said."
        )
        if (shown["More than noise"] == "other clips").any():
            lines.append(
                "Where unscored clips count as wrong (other clips) there is no difference to the"
                " paper, whose accuracy is over the clips that could be scored;"
                " evaluate.unscored: drop makes the two comparable."
            )
    if "Unscored" in shown:
        lines.append(
            "Missing clips are those that the data set lacks or that cannot be read; unscored ones"
            " have no embedding from this system (no known tag). Both count as wrong, or are left"
            " out of clips and score, as the table says; coverage is the share of the others."
        )
    return " ".join(lines)


def _comparisons(comparisons: pd.DataFrame, settings: dict) -> str:
    verdicts = comparisons["more_than_noise"]
    yes, one_seed = comparisons[verdicts == "yes"], (verdicts == "one seed").sum()
    lines = []
    if one_seed < len(comparisons):
        lines.append(
            f"{len(yes)} of {len(comparisons) - one_seed} differences are significant at"
            f" {settings['significance']:g} (paired t test over recordings and runs, Holm's"
            " correction for the number of comparisons)."
        )
    if one_seed:
        of = f"the other {one_seed}" if lines else f"{one_seed} differences"
        lines.append(
            f"Nothing is said of {of}: with one pretraining seed the noise of pretraining is"
            " unknown, and it is not in the standard error. Two seeds or more tell."
        )
    text = " ".join([*lines, "All are in `comparisons.csv`."])
    shown = yes if len(comparisons) > 45 else comparisons
    if not len(shown):
        return text
    table = (
        shown.astype({"p": object, "p_holm": object})
        .fillna("-")
        .rename(
            columns={
                "task": "Task",
                "system_a": "System",
                "system_b": "Against",
                "difference": "Difference (points)",
                "standard_error": "Standard error",
                "p": "p",
                "p_holm": "p, corrected",
                "more_than_noise": "More than noise",
            }
        )
    )
    return text + "\n\n" + markdown(table)


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
