"""Verb `verify`: check that every file of a run follows from its inputs."""

import click

from tagalign.errors import InputError


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
def command(run: str) -> None:
    """Check that every file of a run follows from its inputs.

    Reads RUN, a directory such as results/demo, and the data that it was made from. Every file
    must have been made from files that are still there, byte for byte, and with the run's own
    configuration; the sounds of a folder must be those of the catalogue; the table must follow
    from the scores. Prints one line for each thing that does not, and exits with status 1 then.

    \b
    Example: tagalign verify results/demo
    """
    from tagalign.provenance.verify import verify

    checked, problems = verify(run)
    for problem in problems:
        click.echo(problem)
    if problems:
        raise InputError(
            f"{len(problems)} things in {run} do not match; run snakemake to bring them up to date"
        )
    click.echo(f"{checked} files in {run} follow from their inputs and the configuration")
