"""`tagalign audio`: download one shard of sounds from Freesound."""

from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command()
@click.argument("catalogue", type=click.Path(dir_okay=False))
@click.option("--shard", type=click.IntRange(min=0), required=True, help="Number of the shard.")
@config_options("source")
@click.option(
    "--journal",
    type=click.Path(file_okay=False),
    help="Directory that keeps what was downloaded; give the same one again and nothing is"
    " downloaded twice. Without it nothing is kept but the output.",
)
@output_option("The file to write.")
def command(catalogue: str, shard: int, sections: dict, journal: str | None, output: Path) -> None:
    """Download one shard of sounds from Freesound.

    Reads CATALOGUE, or its file for this shard, and of the configuration the section `source`:
    how many previews to download at once and how often to try. Needs no API key.

    Writes the encoded bytes of each preview, in the order of the catalogue. Each one was decoded
    to the end. Sounds that are gone or broken are listed in `failed` with the reason.

    \b
    Example:
      tagalign audio data/freesound/catalogue.h5 --shard 0 --config config/config.yaml \\
          --journal data/freesound/journal -o data/freesound/audio/0000.h5
    """
    from tagalign.freesound.audio import run

    settings = sections["source"]["freesound"]
    failures = run(output, catalogue, shard, settings, journal)
    for identifier, reason in failures:
        click.echo(f"audio: {identifier}: {reason}", err=True)
