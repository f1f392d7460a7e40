"""Verb `inspect`: show what a file holds and what made it."""

import click


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False))
def command(files):
    """Show what a file holds and what made it.

    Reads FILES of any stage and prints stage, seed, versions, the configuration that the stage
    read, the datasets inside, and the chain of files that it was made from, back to the sources.
    Inputs are known by their SHA-256 and looked for in the run to which the file belongs; one
    that is NOT FOUND was changed or made again since.

    \b
    Example: tagalign inspect results/demo/models/w2v-128-4h/0.h5
    """
    from tagalign.provenance.describe import describe

    click.echo("\n\n".join(describe(path) for path in files))
