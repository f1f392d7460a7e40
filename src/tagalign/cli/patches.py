"""Verb `patches`."""

import os
from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command()
@click.argument("catalogue", type=click.Path(dir_okay=False))
@click.option("--shard", type=click.IntRange(min=0), required=True, help="Number of the shard.")
@click.option(
    "--audio",
    type=click.Path(dir_okay=False),
    help="File of stage audio with the downloaded sounds of this shard.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False),
    help="Directory of the sounds, for a catalogue of source folder.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Processes; all cores if left out. The result does not depend on it.",
)
@output_option("File to write.")
@config_options("patches")
def command(
    catalogue: str,
    shard: int,
    audio: str | None,
    folder: str | None,
    jobs: int,
    output: Path,
    sections: dict,
) -> None:
    """Cut the log-mel patch of maximum energy of each sound of a shard.

    Reads CATALOGUE and the sounds of one of its shards, from --audio or from --folder. Writes
    id, log_mel (sounds, bands, columns; natural logarithm, not scaled) and duration in
    seconds. Sounds that are unreadable, truncated or silent are listed in failed/ with the
    reason; the rest go on.

    \b
    Example:
      tagalign patches catalogue.h5 --shard 0 --folder my-sounds -o patches/0000.h5
    """
    from tagalign.audio.patches import run

    if (audio is None) == (folder is None):
        raise click.UsageError("give --audio or --folder, and not both")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    failures = run(
        output,
        catalogue,
        shard,
        sections["patches"],
        audio=audio,
        folder=folder,
        jobs=jobs or cores,
    )
    for identifier, reason in failures:
        click.echo(f"patches: {identifier}: {reason}", err=True)
