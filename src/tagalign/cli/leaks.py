"""Verb `leaks`: make sure that pretraining has not seen a sound on which it is tested."""

from pathlib import Path

import click

from tagalign.cli.options import FILE, config_options, output_option


@click.command()
@click.argument("task", type=FILE)
@click.argument("pretraining", nargs=-1, required=True, type=FILE)
@click.option(
    "--dataset", type=FILE, help="List of the task's clips (stage dataset), to compare contents."
)
@click.option(
    "--catalogue", type=FILE, help="List of the sounds (stage catalogue), to compare contents."
)
@output_option("The file to write (HDF5).")
@config_options("evaluate")
def command(
    task: Path,
    pretraining: tuple[Path, ...],
    dataset: Path | None,
    catalogue: Path | None,
    output: Path,
    sections: dict,
) -> None:
    """Make sure that pretraining has not seen a sound on which it is tested.

    Compares the Freesound ids of the tested clips of TASK (stage task) with those of the
    PRETRAINING sounds (files of stage tags or pairs), and with --dataset and --catalogue also
    the SHA-256 of their files. A sound in both is an error, unless evaluate.allow_leaks names the
    task; then the file lists it.

    \b
    Example:
      tagalign leaks tasks/esc10.h5 tags.h5 pairs.h5 --dataset datasets/esc10.h5 \\
        --catalogue catalogue.h5 -o leaks/esc10.h5
    """
    from tagalign.evaluate.leaks import run

    found = run(task, pretraining, sections, output, dataset=dataset, catalogue=catalogue)
    print(f"{found.task}: pretraining has seen {len(found.id)} test recordings ({found.compared})")
