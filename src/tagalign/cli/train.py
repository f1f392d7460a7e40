"""Verb `train`: train one system from one seed."""

from pathlib import Path

import click

from tagalign.cli.options import DIRECTORY, FILE, config_options, device_option, output_option


@click.command()
@click.argument("pairs", type=FILE)
@click.option("--word2vec", type=FILE, help="Word vectors (w2v systems only).")
@click.option("--system", help="System to train, such as w2v-128-4h; that of --start if given.")
@click.option(
    "--start",
    type=FILE,
    help="Model file to start from: its weights, scaling and vocabulary. With --word2vec the tags"
    " that it lacks are added, else dropped.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the initial weights, the order of the pairs and the dropout.",
)
@device_option("Where to train; auto takes a GPU if there is one.")
@click.option(
    "--checkpoint",
    type=DIRECTORY,
    help="Directory in which the training is saved and from which it resumes; by default"
    " the name of OUTPUT with the ending .checkpoint. It disappears when the model is written.",
)
@click.option(
    "--checkpoint-minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Longest time between two checkpoints; there is one after each epoch in any case.",
)
@click.option("--history", type=FILE, help="JSON-lines file, one object per epoch.")
@click.option("--tensorboard", type=DIRECTORY, help="Directory for TensorBoard event files.")
@output_option("The model file to write (HDF5, complete).")
@config_options("model", "train")
def command(
    pairs: Path,
    word2vec: Path | None,
    system: str | None,
    start: Path | None,
    seed: int,
    device: str,
    checkpoint: Path | None,
    checkpoint_minutes: float,
    history: Path | None,
    tensorboard: Path | None,
    output: Path,
    sections: dict,
) -> None:
    """Train one system from one seed.

    Reads the training file PAIRS and writes a model file that holds all that is needed to
    embed sounds and tags. Systems: w2v-{128,1152}-{1h,4h,mean}, coala, coala-e-c, cnn, and
    untrained, which keeps its random weights.

    A training that was stopped (Ctrl-C, SIGTERM, SIGKILL, power) goes on from its checkpoint
    when the same command runs again, and on the CPU ends with the same weights bit for bit.

    With --start a trained model goes on with other sounds, such as your own folder's, which need
    the same front end. It keeps its vocabulary, and learns new tags where --word2vec has vectors
    of theirs, which are brought into its space by the tags that both know.

    \b
    Example, for small data:
      tagalign train pairs.h5 --word2vec word2vec/128.h5 --system w2v-128-4h \\
        --params '{"train": {"optimizer": "adam", "learning_rate": 0.001, "epochs": 20}}' \\
        --history history.jsonl -o model.h5
      tagalign train pairs.h5 --start model.h5 --word2vec word2vec/128.h5 \\
        --params '{"train": {"epochs": 5}}' -o tuned.h5
    """
    start = start or sections["train"]["start"]
    if system is None and start is None:
        raise click.UsageError("give --system, or a model to --start from")
    from tagalign.train.loop import Outlets
    from tagalign.train.stage import train

    train(
        pairs,
        word2vec,
        system_name=system,
        seed=seed,
        sections=sections,
        device_name=device,
        output=output,
        checkpoint_directory=checkpoint or output.with_suffix(".checkpoint"),
        outlets=Outlets(history, tensorboard, checkpoint_minutes),
        start_path=start,
    )
