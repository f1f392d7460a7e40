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
def command(task, embeddings, system, pretraining_seed, device, jobs, output, sections):
    """Classify the embeddings of a task and score them.

    Reads TASK (stage task) and EMBEDDINGS (stage embed-task). For each tested fold a
    classifier is trained on the other folds, from several seeds. Writes accuracy and macro F1
    per fold and repetition, and every prediction. `tagalign leaks` checks that pretraining has
    not seen the test sounds.

    \b
    Example:
      tagalign evaluate esc10.h5 embeddings.h5 --system w2v-128-4h -o scores.h5
    """
    from tagalign.evaluate.file import read_clips, write_scores
    from tagalign.evaluate.scores import score
    from tagalign.model.device import choose_device

    clips = read_clips(task, embeddings)
    settings = sections["evaluate"]
    # scikit-learn never asks for a GPU, so none need be there.
    where = choose_device(device) if settings["engine"] == "torch" else "cpu"
    scores = score(clips, settings, jobs=jobs, device=str(where))
    write_scores(
        output, task, embeddings, clips, scores, sections, system=system, seed=pretraining_seed
    )
    mean = 100 * scores.accuracy.mean()
    print(f"{system}, seed {pretraining_seed}: {mean:.1f} % right on {len(scores.row)} test clips")
