"""Verb `inspect`: show what a file holds and what made it."""

import click

from tagalign.errors import plain


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False))
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Of a model, too, show every data set (the weights), key and input.",
)
def command(files: tuple[str, ...], everything: bool) -> None:
    """Show what a file holds and what made it.

    Of a model: its system, size, vocabulary, training, data and their licences, its scores, and
    how to use it. Of a file of any other stage (and with --all of a model, too): stage, seed,
    versions, the configuration that the stage read, the datasets inside, and the chain of files
    that it was made from, back to the sources. Inputs are known by their SHA-256 and looked for
    in the run to which the file belongs; one that is NOT FOUND was changed or made again since.

    \b
    Example: tagalign inspect results/demo/models/w2v-128-4h/0.h5
    """
    from tagalign.planning.run import read_attributes
    from tagalign.provenance.card import describe_model
    from tagalign.provenance.describe import describe

    texts = []
    for path in files:
        is_model = "network" in read_attributes(path)
        texts.append(describe_model(path) if is_model and not everything else describe(path))
    click.echo("\n".join(map(plain, "\n\n".join(texts).split("\n"))))
