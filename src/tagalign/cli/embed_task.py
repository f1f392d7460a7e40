"""Verb `embed-task`: embed the clips of a task with a model, or by their MFCC."""

from pathlib import Path

import click

from tagalign.cli.options import device_option, output_option
from tagalign.errors import InputError


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
def command(task, model, mfcc, device, output):
    """Embed the clips of a task with a model, or by their MFCC.

    Reads TASK (stage task) and writes one vector per clip: the mean of the model's
    embeddings of its frames, or its MFCC statistics; for a task from tags, the embedding of its
    tags. Clips without a vector are in failed/.

    \b
    Examples:
      tagalign embed-task esc10.h5 --model models/w2v-128-4h/0.h5 -o embeddings.h5
      tagalign embed-task esc10.h5 --mfcc -o embeddings.h5
    """
    if bool(model) == mfcc:
        raise click.UsageError("give either --model or --mfcc")
    import numpy as np

    from tagalign import store
    from tagalign.embedding import clips as embed
    from tagalign.embedding.tags import embed_tagged_clips

    inputs = {"task": task}
    with store.read(task, stage="task") as file:
        failures = store.read_failures(file)
        if mfcc:
            if "mfcc" not in file:
                raise InputError(f"{task} holds tags, not sounds; it has no MFCC")
            vectors = file["mfcc"][()]
            rows = np.flatnonzero(np.isfinite(vectors).all(axis=1))
            vectors = vectors[rows]
        else:
            from tagalign.model.file import load_model

            inputs["model"] = model
            loaded = load_model(model, device=device)
            if "tags" in file:
                rows, vectors, unknown = embed_tagged_clips(file, loaded)
                failures += unknown
            else:
                embed.check_front_end(file, loaded, task, model)
                rows, vectors = embed.embed_task_clips(file, loaded)
        embed.write_embeddings(output, file, rows, vectors, inputs=inputs, failures=failures)
