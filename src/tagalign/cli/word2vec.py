"""Verb `word2vec`: train word vectors on the cleaned tags."""

from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command("word2vec")
@click.argument("tags", type=click.Path(dir_okay=False))
@click.option(
    "--dimension",
    required=True,
    type=click.IntRange(min=1),
    help="Length of a vector, F_w in the paper (128 or 1152).",
)
@config_options("word2vec")
@output_option("HDF5 file.")
def command(tags: str, dimension: int, sections: dict, output: Path) -> None:
    """Train a vector for each tag of the vocabulary of TAGS (stage `tags`).

    Continuous bag of words: a tag is predicted from the other tags of its sound. The same seed
    gives the same bytes.

    \b
    Example: tagalign word2vec tags.h5 --dimension 128 -o word2vec/128.h5
    """
    from tagalign.tags.word2vec import run

    made = run(output, tags, dimension, sections)
    click.echo(f"{len(made.vocabulary)} vectors of {dimension} values", err=True)
