"""Verb `evaluate`: classify the embeddings of a task and score them."""

from pathlib import Path

import click

from tagalign.cli.options import config_options, device_option, output_option


@click.command()
@click.argument("task", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("embeddings", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--system", required=True, help="Name of the system, for the table.")
@click.option(
    "--pretraining-seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed from which the system was trained, for the table.",
)
@device_option("Where the torch engine computes (key evaluate.engine); scikit-learn uses the CPU.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@output_option("The file to write (HDF5).")
@config_options("evaluate")
def command(
    task: Path,
    embeddings: Path,
    system: str,
    pretraining_seed: int,
    device: str,
    jobs: int,
    output: Path,
    sections: dict,
) -> None:
    """Classify the embeddings of a task and score them.

    Reads TASK (stage task) and EMBEDDINGS (stage embed-task). For each tested fold a
    classifier is trained on the other folds, from several seeds. Writes every metric per fold
    and repetition, and the class scores of every clip. `tagalign leaks` checks that pretraining has
    not seen the test sounds.

    \b
    Example:
      tagalign evaluate esc10.h5 embeddings.h5 --system w2v-128-4h -o scores.h5
    """
    from tagalign.evaluate.metrics import METRICS
    from tagalign.evaluate.stage import run
    from tagalign.model.device import choose_device

    # scikit-learn never asks for a GPU, so none need be there.
    where = choose_device(device) if sections["evaluate"]["engine"] == "torch" else "cpu"
    found = run(
        task,
        embeddings,
        sections,
        output,
        system=system,
        pretraining_seed=pretraining_seed,
        jobs=jobs,
        device=str(where),
    )
    headline = METRICS[found.metrics[0]]
    mean = 100 * found.values[0].mean()
    print(
        f"{system}, seed {pretraining_seed}: {headline.title} {mean:.1f} % on"
        f" {len(found.clip_id)} test clips"
    )
