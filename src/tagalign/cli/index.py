"""Verb `index`: embed sounds so that they can be searched."""

from pathlib import Path

import click

from tagalign.cli.options import (
    FILE,
    audio_option,
    device_option,
    jobs_option,
    note,
    output_option,
    sounds_argument,
)


@click.command()
@click.argument("model", type=click.Path(dir_okay=False, path_type=Path))
@sounds_argument
@audio_option
@click.option(
    "--about",
    type=FILE,
    help="CSV or catalogue with name, username, license or url of the sounds, found by their"
    " id or file.",
)
@device_option("Where the model runs.")
@jobs_option
@output_option("The index to write (HDF5).")
def command(
    model: Path,
    sounds: tuple[Path, ...],
    audio: Path | None,
    about: Path | None,
    device: str,
    jobs: int,
    output: Path,
) -> None:
    """Embed sounds so that they can be searched with `tagalign search`.

    Reads MODEL and SOUNDs, given as for `tagalign embed`, and writes their aligned embeddings
    (phi_a), what is known of each sound, and the model itself, so that the index is all that a
    search needs. Of a model that knows no tags it holds embeddings (z_a), and is searched by
    sounds alone. After Ctrl-C or a kill the same command goes on where it was.

    \b
    Examples:
      tagalign index models/w2v-128-4h/0.h5 my-sounds/ -o index.h5
      tagalign index models/w2v-128-4h/0.h5 my-sounds/ --about sounds.csv -o index.h5
    """
    from tagalign.embedding.embedder import load
    from tagalign.embedding.index import build_index
    from tagalign.embedding.listing import details_of, find_sounds

    done = build_index(
        output,
        load(model, device),
        find_sounds(sounds, audio, say=note),
        model=model,
        details=details_of(about) if about else None,
        jobs=jobs,
    )
    for identifier, reason in done.failures:
        click.echo(f"index: {identifier}: {reason}", err=True)
    click.echo(f"{done.count} sounds in {output}")
