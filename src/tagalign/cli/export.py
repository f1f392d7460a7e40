"""Verb `export`: write a model as ONNX or safetensors, with a model card."""

from pathlib import Path

import click

from tagalign.cli.options import DIRECTORY


@click.command()
@click.argument("model", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["onnx", "safetensors"]),
    required=True,
    help="onnx: graphs from samples and from tags to embeddings; safetensors: the weights.",
)
@click.option("-o", "--output", type=DIRECTORY, required=True, help="Directory to write into.")
def command(model: Path, kind: str, output: Path) -> None:
    """Write a MODEL in a format that other software reads, with a model card.

    With --format onnx, audio.onnx takes samples and gives embeddings, the front end included,
    and tags.onnx takes indices of tags; both are compared with PyTorch before they are kept.
    README.md and card.json say what the model is, what it was made of, its licences, scores and
    versions, and how to use the files. Needs the extra `export`: pip install 'tagalign[export]'.

    \b
    Examples:
      tagalign export models/w2v-128-4h/0.h5 --format onnx -o exported/
      tagalign export models/w2v-128-4h/0.h5 --format safetensors -o exported/
    """
    from tagalign.release.export import export_model

    for path in export_model(model, output, kind):
        click.echo(path)
