"""Verb `embed`: embed sounds with a trained model."""

from pathlib import Path

import click

from tagalign.cli.options import (
    audio_option,
    config_options,
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
@click.option("--aligned", is_flag=True, help="Write phi_a, to be compared with tags, not z_a.")
@click.option(
    "--timestamps", is_flag=True, help="Write an embedding per patch, with its time in seconds."
)
@device_option("Where the model runs.")
@jobs_option
@output_option("The file to write; its ending tells the format: .h5, .npz or .csv.")
@config_options("clips", optional=True)
def command(
    model: Path,
    sounds: tuple[Path, ...],
    audio: Path | None,
    aligned: bool,
    timestamps: bool,
    device: str,
    jobs: int,
    output: Path,
    sections: dict | None,
) -> None:
    """Embed sounds with a trained model.

    Reads MODEL and any number of SOUNDs: files, directories with all sounds below them, CSV
    files with a column `file` (and `id`), text files (.txt) with a path per line. Each sound
    is cut into patches without overlap, and their embeddings are averaged. Writes the id of
    each sound (its name, its path below the directory, or its id in the CSV) and its vector:
    the embedding z_a, for classification, or with --aligned the aligned embedding phi_a, which
    is compared with that of tags (`embed-tags`). Sounds that cannot be read are listed with
    the reason.

    Progress is kept in OUTPUT.journal until the output is written. After Ctrl-C or a kill the
    same command goes on where it was.

    Without --config and --params, sounds are padded as the sounds of training were: where
    these were padded to so many seconds, so are yours, and what is left after the last whole
    patch is dropped; else that is filled up with silence.

    \b
    Examples:
      tagalign embed models/w2v-128-4h/0.h5 dog.wav rain.ogg -o embeddings.h5
      tagalign embed models/w2v-128-4h/0.h5 my-sounds/ --aligned -o aligned.npz
      tagalign embed models/w2v-128-4h/0.h5 dog.wav --timestamps -o dog.csv
    """
    from tagalign.embedding.embedder import load
    from tagalign.embedding.folder import embed_folder
    from tagalign.embedding.listing import find_sounds

    found = find_sounds(sounds, audio, say=note)
    done = embed_folder(
        output,
        load(model, device, sections and sections["clips"]),
        found,
        model=model,
        aligned=aligned,
        timestamps=timestamps,
        jobs=jobs,
    )
    for identifier, reason in done.failures:
        click.echo(f"embed: {identifier}: {reason}", err=True)
    kind = "aligned embeddings (phi_a)" if aligned else "embeddings (z_a)"
    of = " of their patches" if timestamps else ""
    click.echo(f"{kind} of {done.count} sounds{of} in {output}")
