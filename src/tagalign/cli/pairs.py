"""Verb `pairs`: join patches and tags into the training file."""

from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command("pairs")
@click.argument("tags", type=click.Path(dir_okay=False))
@click.argument("patches", nargs=-1, required=True, type=click.Path(dir_okay=False))
@config_options("pairs")
@output_option("HDF5 file.")
def command(tags: str, patches: tuple[str, ...], sections: dict, output: Path) -> None:
    """Join TAGS (stage `tags`) and all shards of PATCHES into the training file.

    Patches are scaled to [0, 1] with the statistics of the training sounds and stored as 16-bit
    floats. The validation sounds are chosen by seed so that each tag keeps its share, or taken
    from a list of ids. Sounds with a patch but no tags, or the reverse, are listed with the reason.

    Patches are streamed: memory does not grow with their number.

    \b
    Example: tagalign pairs tags.h5 patches/*.h5 -o pairs.h5
    """
    from tagalign.pairs.build import run

    made = run(output, tags, patches, sections)
    click.echo(
        f"{len(made.train.id)} training and {len(made.validation.id)} validation pairs;"
        f" {len(made.failed)} sounds in only one of tags and patches",
        err=True,
    )
