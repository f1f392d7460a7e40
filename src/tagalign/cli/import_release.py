"""Verb `import-release`: make a model file of the authors' released weights."""

from pathlib import Path

import click

from tagalign.cli.options import output_option


@click.command("import-release")
@click.argument("directory", type=click.Path(file_okay=False))
@click.option("--system", help="Name of the system, where the weights fit several.")
@click.option(
    "--preset",
    type=click.Choice(["reference", "paper"]),
    default="reference",
    show_default=True,
    help="How tag sets are embedded: as the released code does (empty places are summed too, the"
    " first ten tags by vocabulary index) or as the paper says (empty places do not count, the"
    " first ten as given).",
)
@output_option("HDF5 file.")
def command(directory: str, system: str | None, preset: str, output: Path) -> None:
    """Make a model file of the released weights in DIRECTORY.

    Reads whichever of these are there: audio_encoder_epoch_200.pt, audio_decoder_...,
    tag_encoder_att_... (tag_encoder_... in COALA), tag_decoder_..., embedding_matrix*.npy,
    id2token_top_1000.json and scaler_top_1000.json (the last two also one or two directories up;
    this package has its own copy). A tag encoder alone is a model for tag tasks.

    Every name and shape is checked; no code in the files is run.

    \b
    Example: tagalign import-release ae_w2v_128_selfatt_c_1h -o released.h5
             tagalign embed-tags released.h5 "dog, bark" -o tags.h5
    """
    from tagalign.release.build import read_release

    release = read_release(directory, system=system, preset=preset)
    model = release.model
    sections = {"patches": model.front_end, "tags": model.cleaning, "model": model.settings}
    model.save(output, stage="import-release", config=sections, inputs=release.files)
    click.echo(f"system {model.system.name}, from:", err=True)
    for role, path in release.files.items():
        click.echo(f"  {role}: {path}", err=True)
