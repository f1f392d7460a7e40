"""Verb `figures`: draw what a trained model shows."""

from pathlib import Path

import click

from tagalign.cli.options import DIRECTORY, FILE


@click.command()
@click.argument("model", type=FILE)
@click.argument("pairs", type=FILE)
@click.option("--directory", required=True, type=DIRECTORY, help="Where the figures go.")
def command(model: Path, pairs: Path, directory: Path) -> None:
    """Draw training curves, reconstructions and nearest tags of a trained model.

    Reads MODEL (stage train) and the PAIRS that it was trained on. Writes curves.png (losses and
    retrieval after each epoch), and for eight validation sounds reconstructions.png and
    nearest_tags.csv, each where the system has such a thing.

    \b
    Example:
      tagalign figures models/w2v-128-4h/0.h5 pairs.h5 --directory figures
    """
    from tagalign.report.training import run

    run(model, pairs, directory)
