"""Verb `zeroshot`: classify the clips of a task by tags alone."""

from pathlib import Path

import click

from tagalign.cli.options import FILE, config_options, output_option


@click.command()
@click.argument("task_file", type=FILE, metavar="TASK")
@click.argument("embeddings", type=FILE)
@click.argument("model", type=FILE)
@click.option("--task", required=True, help="Its name, a key of the section datasets.")
@click.option(
    "--pretraining-seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed from which the model was trained, for the table.",
)
@output_option("The file to write (HDF5).")
@config_options("evaluate", "datasets.{task}")
def command(
    task_file: Path,
    embeddings: Path,
    model: Path,
    task: str,
    pretraining_seed: int,
    output: Path,
    sections: dict,
) -> None:
    """Classify the clips of TASK (stage task) by tags alone; no classifier is trained.

    Each clip of EMBEDDINGS (stage embed-task, by MODEL) is of the class whose tag set its aligned
    embedding comes nearest to. The tag sets of the published tasks come with the package; those of
    your own are datasets.NAME.class_tags, by default the name of the class. `tagalign report`
    shows the scores beside the supervised ones.

    \b
    Example:
      tagalign zeroshot esc10.h5 embeddings.h5 model.h5 --task esc10 -o zeroshot.h5
    """
    from tagalign.evaluate.metrics import METRICS
    from tagalign.evaluate.zeroshot import run

    found = run(task_file, embeddings, model, sections, output, pretraining_seed=pretraining_seed)
    headline = METRICS[found.metrics[0]]
    print(
        f"{found.system}, seed {pretraining_seed}, zero-shot: {headline.title}"
        f" {100 * found.values[0].mean():.1f} % on {len(found.clip_id)} test clips"
    )
    for name, reason in found.failed:
        if name.startswith("class "):
            print(f"{name} is never predicted: {reason}")
