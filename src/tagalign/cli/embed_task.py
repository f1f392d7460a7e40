"""Verb `embed-task`: embed the clips of a task with a model, or by their MFCC."""

from pathlib import Path

import click

from tagalign.cli.options import device_option, output_option


@click.command()
@click.argument("task", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--model",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Model file (stage train, or an imported release).",
)
@click.option("--mfcc", is_flag=True, help="Use the 120 MFCC statistics instead of a model.")
@device_option("Where the model runs.")
@output_option("The file to write (HDF5).")
def command(task: Path, model: Path | None, mfcc: bool, device: str, output: Path) -> None:
    """Embed the clips of a task with a model, or by their MFCC.

    Reads TASK (stage task) and writes one vector per clip: the mean of the model's
    embeddings of its patches, or its MFCC statistics; for a task from tags, the embedding of its
    tags. Clips without a vector are in failed/.

    \b
    Examples:
      tagalign embed-task esc10.h5 --model models/w2v-128-4h/0.h5 -o embeddings.h5
      tagalign embed-task esc10.h5 --mfcc -o embeddings.h5
    """
    if bool(model) == mfcc:
        raise click.UsageError("give either --model or --mfcc")
    from tagalign.embedding.clips import run

    run(task, output, model=model, device=device)
