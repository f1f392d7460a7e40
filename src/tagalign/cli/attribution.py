"""`tagalign attribution`: credit the authors of the sounds."""

from pathlib import Path

import click

from tagalign.cli.options import output_option


@click.command()
@click.argument("catalogue", type=click.Path(dir_okay=False))
@click.argument("shards", nargs=-1, required=True, type=click.Path(dir_okay=False))
@output_option("The CSV to write.")
def command(catalogue: str, shards: tuple[str, ...], output: Path) -> None:
    """Credit the authors of all sounds that were downloaded.

    Reads CATALOGUE and SHARDS, files of stage `audio` (or `patches`, where the audio was not
    kept). Writes a CSV with id, name, user, licence and URL of each of their sounds. Freesound's
    terms ask for this with anything that is published from the sounds.

    \b
    Example:
      tagalign attribution catalogue.h5 audio/*.h5 -o attribution.csv
    """
    from tagalign.sources.attribution import run

    count = run(output, catalogue, shards)
    click.echo(f"{count} sounds are credited in {output}", err=True)
