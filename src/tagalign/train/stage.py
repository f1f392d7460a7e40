"""Stage `train`: from the training file to the model file."""

import os
import sys

import numpy as np
import torch

from tagalign import store
from tagalign.errors import ConfigError, TrainingError
from tagalign.model.device import choose_device, describe_device
from tagalign.model.file import Model
from tagalign.model.network import Network
from tagalign.model.systems import System, find_system
from tagalign.train.checkpoint import Checkpoint, State
from tagalign.train.data import (
    TrainingData,
    read_more_words,
    read_pairs,
    read_word_vectors,
    without_wordless,
)
from tagalign.train.history import History
from tagalign.train.loop import Outlets, fit
from tagalign.train.memory import room_for
from tagalign.train.start import start_from
from tagalign.train.step import choose_precision, set_up_arithmetic

# Not in the model file: equal trainings must give equal bytes.
CLOCK = ("seconds", "samples_per_second")
SMALLEST_BATCH = 2  # a pair has to be told from another, and batch norm needs two values


def train(
    pairs_path: str | os.PathLike,
    word2vec_path: str | os.PathLike | None,
    *,
    system_name: str | None,
    seed: int,
    sections: dict,
    device_name: str,
    output: str | os.PathLike,
    checkpoint_directory: str | os.PathLike,
    outlets: Outlets,
    start_path: str | os.PathLike | None = None,
) -> Model:
    """Train one system from one seed and write its model file.

    Parameters
    ----------
    pairs_path, word2vec_path
        Files of the stages ``pairs`` and ``word2vec``; the second only for w2v systems.
    system_name, seed
        Row of the table of systems, and the seed of weights, order and dropout. None takes
        the system of `start_path`.
    sections
        The configuration sections ``model`` and ``train``; of ``model`` that of `start_path`
        counts, if it is given.
    device_name
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    output
        The model file; the checkpoint disappears when it is whole.
    checkpoint_directory
        Where the training is saved and resumed from.
    outlets
        History and event files, and how often to save.
    start_path
        A model file to start from (`tagalign.train.start`), or None for random weights.

    Raises
    ------
    ConfigError, InputError, TrainingError
        See `tagalign.train.loop.fit`.
    """
    settings = sections["train"]
    device = choose_device(device_name)
    with room_for("the first use of the GPU", "free memory or use --device cpu"):
        precision = choose_precision(settings["precision"], device)
    inputs = {"pairs": pairs_path, "word2vec": word2vec_path, "start": start_path}
    inputs = {role: path for role, path in inputs.items() if path is not None}
    late = max(settings["keep_epochs"], default=0)
    if late > settings["epochs"]:
        raise ConfigError(
            f"train.keep_epochs = {late} comes after the last epoch, train.epochs ="
            f" {settings['epochs']}; leave it out or train longer"
        )
    set_up_arithmetic(settings)
    torch.manual_seed(seed)
    data = read_pairs(pairs_path)
    model_settings = sections["model"]
    with room_for("the network", "lower model.channels or free memory"):
        if start_path is None:
            system = find_system(system_name or "")
            network = _network(system, model_settings, data, word2vec_path, pairs_path)
        else:
            start = start_from(start_path, data, word2vec_path, pairs_path)
            system, data = start.system(system_name), start.data
            network, model_settings = start.network(), start.model.settings
            print(start.summary(), file=sys.stderr)
        if system.width is not None:
            data = _with_words(system, network, data)
        network.to(device)
    if system.width is None:
        inputs.pop("word2vec", None)
    if system.losses:
        arithmetic = str(precision).removeprefix("torch.")
        where = f"{describe_device(device)}, {arithmetic}"
        print(f"train {system.name}: training on {where}", file=sys.stderr)
        settings = settings | {"batch_size": _batch_size(data, settings, system, pairs_path)}
    state = State()
    checkpoint = Checkpoint(
        checkpoint_directory,
        {
            "system": system.name,
            "seed": seed,
            "config": sections,
            "inputs": {role: store.digest(path) for role, path in inputs.items()},
        },
    )
    if system.losses:
        with room_for("the training data", "free memory or use --device cpu"):
            data.to(device)
        state = fit(system, network, data, settings, seed, checkpoint, outlets)
    else:
        print(f"train {system.name}: nothing to train, keeping the random weights", file=sys.stderr)
        History(outlets.history, None, [])
    model = _model(system, network, model_settings, data, state)
    model.save(output, stage="train", config=sections, inputs=inputs, seed=seed)
    checkpoint.remove()
    return model


def _network(system: System, settings: dict, data: TrainingData, word2vec, pairs) -> Network:
    """A network with random weights."""
    vectors = None
    if system.width is not None:
        if word2vec is None:
            raise ConfigError(
                f"system {system.name} needs word vectors of size {system.width}; give --word2vec"
            )
        vectors = read_word_vectors(word2vec, data.vocabulary, system.width, pairs)
        data.more = read_more_words(word2vec)
    size = (data.front_end["n_mels"], data.front_end["n_frames"])
    return Network(system, settings, *size, len(data.vocabulary), vectors)


def _with_words(system: System, network: Network, data: TrainingData) -> TrainingData:
    """The pairs of which some tag has a word vector."""
    data, lost = without_wordless(data, network.tag_encoder.words.vectors)
    if lost:
        print(
            f"train {system.name}: {lost} pairs left out, no tag of which has a word vector",
            file=sys.stderr,
        )
    return data


def _batch_size(data: TrainingData, settings: dict, system: System, path) -> int:
    """The batch size: that of the settings, or all training pairs where these are fewer.

    Raises
    ------
    TrainingError
        There are too few pairs for any batch, or for the one that the settings insist on.
    """
    wanted, there = settings["batch_size"], len(data.train)
    if there >= wanted:
        return wanted
    if settings["exact_batch"] or there < SMALLEST_BATCH:
        remedy = "set it to at most that, or train.exact_batch to false"
        raise TrainingError(
            f"train.batch_size = {wanted} is larger than the data set: {path} has {there} training"
            f" pairs; {remedy if there >= SMALLEST_BATCH else 'give more sounds'}"
        )
    print(
        f"train {system.name}: {there} training pairs are fewer than train.batch_size = {wanted};"
        f" all {there} are one batch",
        file=sys.stderr,
    )
    return there


def _model(system, network, settings, data: TrainingData, state: State) -> Model:
    history = state.history
    metrics = [name for name in (history[0] if history else {}) if name not in ("epoch", *CLOCK)]
    return Model(
        system=system,
        network=network,
        settings=settings,
        vocabulary=data.vocabulary,
        front_end=data.front_end,
        cleaning=data.cleaning,
        scaling=data.scaling,
        tags_per_sound=data.tags_per_sound,
        tag_order=data.tag_order,
        more=data.more,
        history={name: np.array([record[name] for record in history]) for name in metrics},
        kept=state.kept,
        arithmetic=state.arithmetic,
    )
