"""Verb `plan`: what a run has to do, and what disk and time it needs."""

from pathlib import Path

import click

from tagalign.cli.options import FILE
from tagalign.config import load as configuration
from tagalign.errors import TagalignError


@click.command()
@click.option(
    "--config",
    "config_path",
    type=FILE,
    default="config/config.yaml",
    show_default=True,
    help="Configuration file of the run.",
)
@click.option("--cores", type=click.IntRange(1), help="Cores of the machine or job. [default: all]")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Jobs side by side, on a cluster.",
)
def command(config_path: Path, cores: int | None, jobs: int) -> None:
    """Say what a run has to do, and roughly what disk and time it needs.

    Lists the jobs of each stage and how many of their files are there already. Run it where you
    run Snakemake, whose `snakemake -n` shows the very jobs with their reasons. The exit status
    is 1 if the disk is too small for what is still to come.

    \b
    Example:
      tagalign plan --config config/demo.yaml
    """
    from tagalign.planning.plan import plan

    planned = plan(configuration.load(config_path), cores=cores, jobs=jobs)
    print(planned.in_words())
    if planned.shortage:
        raise TagalignError(planned.shortage)
