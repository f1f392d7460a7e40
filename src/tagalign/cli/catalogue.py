"""`tagalign catalogue`: list the sounds of the source and deal them into shards."""

from collections import Counter
from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command()
@config_options("source")
@click.option(
    "--journal",
    type=click.Path(file_okay=False),
    help="Directory that remembers shards and, for Freesound, everything fetched so far. Give the"
    " same one again and nothing is fetched twice. Needed for Freesound.",
)
@click.option(
    "--shards",
    type=click.Path(file_okay=False),
    help="Directory for one small file per shard, which `audio` and `patches` take in the place"
    " of the catalogue; a shard whose sounds did not change keeps its bytes.",
)
@click.option(
    "--refresh",
    is_flag=True,
    help="Walk through Freesound again although the journal says that the walk is complete;"
    " new sounds fill new shards.",
)
@output_option("The catalogue to write.")
def command(
    sections: dict, journal: str | None, shards: str | None, refresh: bool, output: Path
) -> None:
    """List the sounds of the source and deal them into shards.

    Reads the section `source` of the configuration. A `folder` source is a CSV and a directory of
    sounds. A `freesound` source is walked through its API; the key is taken from the environment
    variable FREESOUND_API_KEY and from nowhere else. The walk keeps the limits of requests per
    minute and per day, also across restarts, and may be stopped at any moment.

    Writes the id, name, user, licence, URL, tags and shard of each sound, sorted by shard and id.
    Sounds that occur in the target tasks are left out first. How many were left out, and why,
    is told at the end; `failed` says it of each.

    \b
    Examples:
      tagalign catalogue --config config/demo.yaml -o catalogue.h5
      FREESOUND_API_KEY=... tagalign catalogue --config config/config.yaml \\
          --journal data/freesound/journal -o data/freesound/catalogue.h5
    """
    from tagalign.sources.build import run

    count, failed = run(output, sections, journal=journal, shards=shards, refresh=refresh)
    click.echo(f"catalogue: {count} sounds, {len(failed)} left out", err=True)
    for reason, times in Counter(reason for _, reason in failed).most_common():
        click.echo(f"catalogue: {times} left out: {reason}", err=True)
