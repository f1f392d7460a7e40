"""Verb `report`: put the scores together: table, figures, statistics."""

from collections import defaultdict
from pathlib import Path

import click

from tagalign.cli.options import FILE, config_options


@click.command()
@click.argument("scores", nargs=-1, required=True, type=FILE)
@click.option("--title", default="Results", show_default=True, help="Heading, such as the run.")
@click.option("--model", "models", multiple=True, type=FILE, help="Model, for its training curves.")
@click.option(
    "--count",
    "counted",
    multiple=True,
    type=FILE,
    help="File of any stage (catalogue, audio, patches, tags, pairs, task) whose left-out sounds"
    " are counted; of stage leaks, whose leaks are reported.",
)
@click.option(
    "--directory",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where table, figures and report go.",
)
@config_options("report")
def command(
    scores: tuple[Path, ...],
    title: str,
    models: tuple[Path, ...],
    counted: tuple[Path, ...],
    directory: Path,
    sections: dict,
) -> None:
    """Put the scores together: table, figures, statistics.

    Reads SCORES (stages evaluate, retrieve and zeroshot) of any number of systems, seeds and tasks.
    Of files of stage retrieve alone, which may be those of several runs with different word models,
    it makes their table. Writes table.csv
    and table.md, every single score, paired tests between the systems, what each stage left
    out, figures, and report.html and report.md with all of them. Prints the table.

    \b
    Example:
      tagalign report results/demo/scores/*/*/*.h5 --model model.h5 --directory results/demo
    """
    from tagalign import store
    from tagalign.errors import InputError
    from tagalign.report.write import write_report

    by_stage = defaultdict(list)
    for path in scores:
        by_stage[store.stage_of(path)].append(path)
    strange = set(by_stage) - {"evaluate", "retrieve", "zeroshot"}
    if strange:
        path = by_stage[strange.pop()][0]
        raise InputError(f"{path} holds no scores; give files of evaluate, retrieve or zeroshot")
    text, files = write_report(
        directory,
        by_stage["evaluate"],
        sections["report"],
        title=title,
        models=models,
        counted=counted,
        searched=by_stage["retrieve"],
        zeroshot=by_stage["zeroshot"],
    )
    print(text)
    print()
    width = max(len(path.name) for path in files)
    about = {
        "table.csv": "the table as numbers",
        "scores.csv": "every fold and repetition",
        "contrasts.csv": "the planned contrasts",
        "comparisons.csv": "tests between systems",
        "losses.csv": "what each stage left out",
        "retrieval.csv": "searching validation pairs",
        "zeroshot.csv": "classified by tags alone",
        "report.md": "all of it as Markdown",
        "report.html": "all of it on one page",
    }
    for path in files:
        print(f"{path.name:{width}}  {about.get(path.name, ''):26}{path}".rstrip())
