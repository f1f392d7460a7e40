"""Verb `tags`: clean the tags of a catalogue and build the vocabulary."""

from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command("tags")
@click.argument("catalogue", type=click.Path(dir_okay=False))
@config_options("tags")
@output_option("HDF5 file.")
def command(catalogue: str, sections: dict, output: Path) -> None:
    """Clean the tags of CATALOGUE and build the vocabulary.

    Tags become lower case and singular; stop words, tags in too many or too few sounds and all but
    the most frequent are dropped. Sounds left without a tag are listed with that reason.

    The output holds the vocabulary with its counts, the tags of each sound as indices into it, and
    every dropped tag with its reason.

    \b
    Example: tagalign tags catalogue.h5 -o tags.h5
    """
    from tagalign.tags.build import run

    made = run(output, catalogue, sections)
    click.echo(
        f"{len(made.vocabulary)} tags in {len(made.id)} sounds; {len(made.failed)} sounds left"
        f" without tags; {len(made.dropped_tag)} tags dropped",
        err=True,
    )
