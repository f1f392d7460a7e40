"""Verb `embed`: embed sounds with a trained model."""

import os
from pathlib import Path

import click

from tagalign.cli.options import config_options, device_option, output_option


@click.command()
@click.argument("model", type=click.Path(dir_okay=False, path_type=Path))
@click.argument(
    "sounds", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOUND..."
)
@device_option("Where the model runs.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Processes that decode; all cores if left out. The result does not depend on it.",
)
@output_option("The file to write (HDF5).")
@config_options("frames", optional=True)
def command(model, sounds, device, jobs, output, sections):
    """Embed sounds with a trained model.

    Reads MODEL and any number of SOUNDs: files, or directories with all sounds below them
    (wav, flac, ogg, mp3, aiff; any rate and channel count). Each sound is cut into frames
    without overlap, and their embeddings are averaged. Writes id (the file's name, or its
    path below the directory) and embedding (sounds, V). Sounds that cannot be read are
    listed in failed/ with the reason. A sound's embedding does not depend on the others.

    Without --config and --params, sounds are padded as the sounds of training were: where
    these were padded to so many seconds, so are yours, and what is left after the last whole
    frame is dropped; else that is filled up with silence.

    \b
    Examples:
      tagalign embed models/w2v-128-4h/0.h5 dog.wav rain.ogg -o embeddings.h5
      tagalign embed models/w2v-128-4h/0.h5 my-sounds/ -o embeddings.h5
    """
    from tagalign.audio.frames import frames_of_training
    from tagalign.embedding.sounds import embed_sounds, find_sounds
    from tagalign.model.file import load_model

    found = find_sounds(sounds)
    loaded = load_model(model, device=device)
    frames = sections["frames"] if sections else frames_of_training(loaded.front_end)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    failures = embed_sounds(
        output, loaded, found, frames, inputs={"model": model}, jobs=jobs or cores
    )
    for identifier, reason in failures:
        click.echo(f"embed: {identifier}: {reason}", err=True)
    click.echo(f"{len(found) - len(failures)} embeddings in {output}")
