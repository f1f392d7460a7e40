"""Verb `task`: cut an evaluation data set into patches, with labels and folds."""

from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command()
@click.option("--task", required=True, help="Name of the task, such as esc10.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data/datasets"),
    show_default=True,
    help="Directory of the downloaded data sets; not read if the configuration names your own.",
)
@click.option(
    "--dataset",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of stage dataset; the clips found must be those that it lists.",
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@output_option("The file to write (HDF5).")
@config_options("datasets.{task}", "patches", "clips")
def command(
    task: str, data: Path, dataset: Path | None, jobs: int, output: Path, sections: dict
) -> None:
    """Cut an evaluation data set into patches, with labels and folds.

    Reads the sounds of the data set and writes, for every clip, its log-mel patches (cut
    without overlap), its MFCC statistics, its class, fold and recording. Clips that cannot be
    decoded keep their place, and failed/ says why.

    \b
    Example, on the bundled corpus:
      tagalign task --task esc10-demo --config config/demo.yaml --jobs 2 -o demo.h5
    """
    import sys

    from tagalign.tasks.build import run

    failures = run(task, sections, output, downloads=data, dataset=dataset, jobs=jobs)
    for clip, reason in failures:
        print(f"{task}: {clip}: {reason}", file=sys.stderr)
