"""Verb `word2vec`: train word vectors on the cleaned tags."""

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
def command(tags, dimension, sections, output):
    """Train a vector for each tag of the vocabulary of TAGS (stage `tags`).

    Continuous bag of words: a tag is predicted from the other tags of its sound. The same seed
    gives the same bytes.

    \b
    Example: tagalign word2vec tags.h5 --dimension 128 -o word2vec/128.h5
    """
    from tagalign import store
    from tagalign.tags.word2vec import train_word2vec

    with store.read(tags, stage="tags") as file:
        vocabulary = store.read_strings(file["vocabulary"])
        rows = store.read_ragged(file["tags"])
    vectors = train_word2vec(rows, len(vocabulary), dimension, sections["word2vec"])
    with store.create(
        output,
        stage="word2vec",
        config=sections,
        inputs={"tags": tags},
        seed=sections["word2vec"]["seed"],
        packages=["gensim"],
    ) as file:
        store.write_strings(file, "vocabulary", vocabulary)
        file["vectors"] = vectors
    click.echo(f"{len(vocabulary)} vectors of {dimension} values", err=True)
