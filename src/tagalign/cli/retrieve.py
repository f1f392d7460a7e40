"""Verb `retrieve`: search the validation pairs with a model."""

from pathlib import Path

import click

from tagalign.cli.options import FILE, device_option, output_option


@click.command()
@click.argument("model", type=FILE)
@click.argument("pairs", type=FILE)
@click.option(
    "--pretraining-seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed from which the model was trained, for the table.",
)
@device_option("Where the network runs.")
@output_option("The file to write (HDF5).")
def command(model: Path, pairs: Path, pretraining_seed: int, device: str, output: Path) -> None:
    """Search the validation pairs of PAIRS (stage pairs) with MODEL (stage train).

    Sounds find tag sets, tag sets find sounds, sounds find sounds that share a tag, and tags that
    were hidden from training (key pairs.hidden_tags) find sounds. `tagalign report --retrieval`
    makes a table of the files.

    \b
    Example: tagalign retrieve model.h5 pairs.h5 -o retrieval.h5
    """
    from tagalign.evaluate.retrieve import run
    from tagalign.report.retrieval import DIRECTIONS

    found = run(model, pairs, output, pretraining_seed=pretraining_seed, device=device)
    for name, title in DIRECTIONS.items():
        queries = getattr(found, name)
        if queries is not None:
            print(
                f"{title}: mAP@10 {100 * queries.precision.mean():.1f} %"
                f" of {len(queries.query)} queries"
            )
