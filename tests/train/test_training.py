"""Training: it learns, records what it does, and refuses what cannot work."""

import csv
import json
import os
import re
import shutil

import h5py
import numpy as np
import pytest
import torch
from torch._dynamo.backends.common import aot_autograd
from torch._functorch.aot_autograd import make_boxed_compiler

import stage_files
from running import NARROW, TRAIN, call, run
from tagalign import store
from tagalign.config import load as config
from tagalign.errors import ConfigError, InputError, TrainingError
from tagalign.model.arithmetic import Arithmetic
from tagalign.model.file import load_model
from tagalign.model.network import Network
from tagalign.model.objective import Objective
from tagalign.model.systems import SYSTEMS
from tagalign.train.checkpoint import Checkpoint, State
from tagalign.train.data import read_pairs, read_word_vectors
from tagalign.train.loop import Outlets, fit
from tagalign.train.stage import _model
from tagalign.train.step import Step, lay_out


def test_training_learns_to_find_tags_of_real_sounds(command, tmp_path):
    history = tmp_path / "logs" / "history.jsonl"
    call(*command(train={"epochs": 25}, options=("--history", history)))
    records = [json.loads(line) for line in history.read_text().splitlines()]
    assert [record["epoch"] for record in records] == list(range(1, 26))
    assert records[-1]["contrastive"] < 0.8 * records[0]["contrastive"]
    assert records[-1]["validation_contrastive"] < records[0]["validation_contrastive"]
    assert 0 <= records[-1]["recall_at_1"] <= records[-1]["recall_at_10"] <= 1
    assert records[-1]["samples_per_second"] > 0
    model = load_model(tmp_path / "model.h5")
    for name, values in model.history.items():
        assert values.tolist() == [record[name] for record in records]
    assert "seconds" not in model.history


def test_data_are_as_compact_as_promised(prepared):
    data = read_pairs(prepared / "pairs.h5")
    with h5py.File(prepared / "pairs.h5") as file:
        offsets, values = file["train/tags/offsets"][()], file["train/tags/values"][()]
        patches = file["train/patches"][()]
    assert data.train.patches.dtype == torch.float16
    assert data.train.tags.dtype == torch.int16
    index = torch.tensor([5, 0, 11])
    batch, tags = data.train.batch(index)
    assert batch.dtype == torch.float32
    np.testing.assert_array_equal(batch[:, 0], patches[index].astype(np.float32))
    padding = len(data.vocabulary)
    for row, number in zip(tags.tolist(), index.tolist(), strict=True):
        own = values[offsets[number] : offsets[number + 1]].tolist()
        assert row == own + [padding] * (len(row) - len(own))


def test_short_tag_sets_are_trained_as_they_are_embedded(prepared, tmp_path):
    """The empty places that `padded_queries: summed` counts are the same in both."""
    pairs = tmp_path / "short.h5"
    shutil.copyfile(prepared / "pairs.h5", pairs)
    with stage_files.edited(pairs) as file:
        for part, most in (("train", 3), ("validation", 2)):
            rows = [row[:most] for row in store.read_ragged(file[f"{part}/tags"])]
            del file[f"{part}/tags"]
            store.write_ragged(file[part], "tags", rows, "int32")
    data = read_pairs(pairs)
    sections = config.resolve_sections(
        {"model": NARROW | {"padded_queries": "summed"}}, ["model", "train"]
    )
    system = SYSTEMS["w2v-128-4h"]
    vectors = read_word_vectors(prepared / "128.h5", data.vocabulary, 128, "pairs.h5")
    torch.manual_seed(0)
    network = Network(system, sections["model"], 32, 32, len(data.vocabulary), vectors).eval()
    model = _model(system, network, sections["model"], data, State())
    objective = Objective(network, system, sections["train"], data.tags_per_sound)
    for part in (data.train, data.validation):
        batch = part.batch(torch.arange(8))
        sets = [[data.vocabulary[tag] for tag in row if tag < 100] for row in batch[1].tolist()]
        with torch.inference_mode():
            trained = objective.outputs(*batch)["phi_w"]
        np.testing.assert_allclose(model.embed_tags(sets), trained, atol=1e-5)


def fit_with(prepared, tmp_path, seed=0, **settings):
    """Train without the model file; returns the network and where it ended."""
    sections = config.resolve_sections(
        {"model": NARROW, "train": TRAIN | settings}, ["model", "train"]
    )
    data = read_pairs(prepared / "pairs.h5")
    system = SYSTEMS["w2v-128-4h"]
    vectors = read_word_vectors(prepared / "128.h5", data.vocabulary, 128, "pairs.h5")
    torch.manual_seed(seed)
    network = Network(system, sections["model"], 32, 32, len(data.vocabulary), vectors)
    checkpoint = Checkpoint(tmp_path / "checkpoint", {"seed": seed, **settings})
    return network, fit(system, network, data, sections["train"], seed, checkpoint, Outlets())


def test_one_step_equals_plain_pytorch(prepared, tmp_path):
    """One SGD step of the paper, done again with plain operations on the same batch."""
    data = read_pairs(prepared / "pairs.h5")
    size = len(data.train)
    sgd = {"optimizer": "sgd", "learning_rate": 0.005, "epochs": 1, "batch_size": size}
    network, state = fit_with(prepared, tmp_path, **sgd)
    records = state.history

    vectors = read_word_vectors(prepared / "128.h5", data.vocabulary, 128, "pairs.h5")
    sections = config.resolve_sections({"model": NARROW, "train": sgd}, ["model", "train"])
    torch.manual_seed(0)
    plain = Network(SYSTEMS["w2v-128-4h"], sections["model"], 32, 32, len(data.vocabulary), vectors)
    lay_out(plain)  # Dropout draws its numbers in the order of memory.
    entropy = np.random.SeedSequence([0, 0, 0]).generate_state(1, np.uint64)[0] >> 1
    order = torch.from_numpy(np.random.default_rng(int(entropy)).permutation(size))
    entropy = np.random.SeedSequence([0, 0, 1]).generate_state(1, np.uint64)[0] >> 1
    torch.manual_seed(int(entropy))
    patches, tags = data.train.batch(order)
    z_a = plain.audio_encoder(patches)
    made = plain.audio_decoder(z_a).sigmoid()
    phi_a, phi_w = plain.project(z_a), plain.tag_encoder(tags[:, :10])
    entropy_term = torch.where(patches > 0, patches * patches.clamp(min=1e-30).log(), 0)
    kl = (entropy_term - patches * made.log() - patches + made).sum(-1).mean()
    both = torch.nn.functional.normalize(torch.cat([phi_a, phi_w]), dim=1)
    similarity = torch.exp(both @ both.T / 0.1)
    similarity = similarity - torch.diag(similarity.diagonal())
    positive = torch.cat([similarity.diagonal(size), similarity.diagonal(-size)])
    contrastive = -(positive / similarity.sum(1)).log().mean()
    assert records[0]["reconstruction"] == pytest.approx(kl.item(), rel=1e-4)
    assert records[0]["contrastive"] == pytest.approx(contrastive.item(), rel=1e-4)
    (5 * kl + 10 * contrastive).backward()
    for (name, ours), theirs in zip(network.named_parameters(), plain.parameters(), strict=True):
        expected = theirs.detach() - 0.005 * theirs.grad
        torch.testing.assert_close(ours.detach(), expected, atol=1e-5, rtol=1e-3, msg=name)


@pytest.mark.slow
def test_mixed_precision_reaches_the_same_validation_loss(prepared, tmp_path):
    """bfloat16 and float32 from three seeds each differ by less than the seeds do."""
    ends = {"float32": [], "bfloat16": []}
    for precision, losses in ends.items():
        for seed in range(3):
            where = tmp_path / f"{precision}-{seed}"
            network, state = fit_with(prepared, where, seed, precision=precision, epochs=24)
            assert all(weight.dtype == torch.float32 for weight in network.parameters())
            losses.append(np.mean([record["validation_loss"] for record in state.history[-4:]]))
            assert state.arithmetic == Arithmetic("cpu", precision, compiled=False)
    change = abs(np.mean(ends["float32"]) - np.mean(ends["bfloat16"]))
    assert 0 < change < max(np.ptp(losses) for losses in ends.values())


def test_each_epoch_sees_every_pair_once_in_another_order(prepared, tmp_path):
    from tagalign.train.loop import _Training

    data = read_pairs(prepared / "pairs.h5")
    system = SYSTEMS["cnn"]
    sections = config.resolve_sections({"model": NARROW, "train": TRAIN}, ["model", "train"])
    network = Network(system, sections["model"], 32, 32, len(data.vocabulary))
    training = _Training(
        system, network, data, sections["train"], 0, Checkpoint(tmp_path, {}), Outlets()
    )
    orders = []
    for epoch in range(3):
        training.state.epoch = epoch
        orders.append(training._batches().flatten().tolist())
    for order in orders:
        assert len(set(order)) == len(order) == len(data.train) // 16 * 16
    assert orders[0] != orders[1] != orders[2]


def test_a_batch_larger_than_the_training_set_is_all_of_it(command):
    done = run(command(train={"batch_size": 4096, "epochs": 1}))
    assert done.returncode == 0, done.stderr
    there = re.search(r"(\d+) training pairs are fewer than train\.batch_size = 4096", done.stderr)
    assert f"all {there[1]} are one batch" in done.stderr
    assert re.search(r"w2v-128-4h: training on CPU, \d+ threads?, float32$", done.stderr, re.M)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"train": {"batch_size": 4096, "exact_batch": True}},
            TrainingError,
            r"train\.batch_size = 4096 is larger than the data set: .*pairs\.h5 has \d+ training",
        ),
        (
            {"train": {"optimizer": "sgd", "learning_rate": 1e30}},
            TrainingError,
            r"w2v-128-4h diverged in step \d+ of epoch 1 \(reconstruction .*\); lower"
            r" train\.learning_rate \(now 1e\+30\)",
        ),
        ({"system": "w2v-128-5h"}, ConfigError, "no system 'w2v-128-5h'; did you mean"),
        (
            {"train": {"reconstruction_weight": 0, "contrastive_weight": 0}},
            TrainingError,
            "all weights of the losses of w2v-128-4h are 0",
        ),
    ],
)
def test_what_cannot_work_ends_in_one_line_and_no_file(change, error, message, command, tmp_path):
    with pytest.raises(error, match=message) as caught:
        call(*command(**change))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model.h5").exists()


def test_word_vectors_must_be_given_and_fit(command, prepared, tmp_path):
    arguments = command()
    arguments[3] = prepared / "1152.h5"
    with pytest.raises(InputError, match=r"1152\.h5 holds word vectors of size 1152.* needs 128"):
        call(*arguments)
    with pytest.raises(ConfigError, match="needs word vectors of size 128; give --word2vec"):
        call(*arguments[:2], *arguments[4:])
    arguments[3] = prepared / "pairs.h5"
    with pytest.raises(InputError, match="stage 'pairs', but a file of stage 'word2vec'"):
        call(*arguments)


def test_a_missing_gpu_is_named(command, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="'cuda' was asked for"):
        call(*command(options=("--device", "cuda")))
    assert list(tmp_path.iterdir()) == []


def test_event_files_and_figures_appear_where_asked(command, prepared, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events, figures = tmp_path / "events", tmp_path / "figures"
    call(*command(system="coala", options=("--tensorboard", events)))
    call("figures", tmp_path / "model.h5", prepared / "pairs.h5", "--directory", figures)
    model = load_model(tmp_path / "model.h5")
    log = EventAccumulator(str(events))
    log.Reload()
    for tag, name in (
        ("contrastive/training", "contrastive"),
        ("contrastive/validation", "validation_contrastive"),
        ("recall_at_10/validation", "recall_at_10"),
    ):
        values = [event.value for event in log.Scalars(tag)]
        np.testing.assert_allclose(values, model.history[name], rtol=1e-6)
    for name in ("curves.png", "reconstructions.png"):
        assert (figures / name).read_bytes().startswith(b"\x89PNG")
    with open(figures / "nearest_tags.csv") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 8
    vocabulary = set(model.vocabulary)
    for row in table:
        assert set(row["tags"].split()) <= vocabulary
        assert len(set(row["nearest_tags"].split()) & vocabulary) == 8


def test_reference_preset_trains_with_the_released_losses(reference_train):
    assert reference_train["kl_epsilon"] == reference_train["nt_xent_epsilon"] == 1e-5
    assert (reference_train["optimizer"], reference_train["learning_rate"]) == ("sgd", 0.005)
    assert (reference_train["epochs"], reference_train["batch_size"]) == (200, 128)


@pytest.mark.slow
def test_a_compiled_step_is_the_plain_one(command, tmp_path):
    """Without dropout, whose random numbers differ, the losses agree to rounding."""
    if shutil.which("g++") is None:
        pytest.skip("compiling for the CPU needs g++")
    for way in ("never", "always"):
        train = {"compile": way, "epochs": 1, "optimizer": "sgd"}
        call(*command(system="cnn", output=f"{way}.h5", train=train, model={"dropout": 0}))
    plain, compiled = (load_model(tmp_path / f"{way}.h5") for way in ("never", "always"))
    for name, values in plain.history.items():
        np.testing.assert_allclose(compiled.history[name], values, rtol=1e-4)


def without_backward(objective):
    """The objective, compiled by a compiler that handles its forward pass alone."""

    def refuse(graph, inputs):
        raise NotImplementedError("no backward pass today\nand a second line")

    backend = aot_autograd(
        fw_compiler=make_boxed_compiler(lambda graph, _: graph), bw_compiler=refuse
    )
    return torch.compile(objective, backend=backend)


def make_step(prepared, **settings) -> Step:
    sections = config.resolve_sections(
        {"model": NARROW, "train": TRAIN | settings}, ["model", "train"]
    )
    data = read_pairs(prepared / "pairs.h5")
    torch.manual_seed(0)
    network = Network(SYSTEMS["cnn"], sections["model"], 32, 32, len(data.vocabulary))
    objective = Objective(network, SYSTEMS["cnn"], sections["train"], 10)
    return Step(objective.train(), data.train, sections["train"])


def test_a_backward_pass_that_cannot_be_compiled_changes_nothing(prepared, capsys):
    """It is compiled only when it first runs; by then the forward pass has left its traces."""
    plain, step = make_step(prepared), make_step(prepared)
    step.compiled, step.losses = True, without_backward(step.objective)
    index = torch.arange(16)
    for each in (plain, step):
        torch.manual_seed(1)
        each.results = torch.stack([each(index), each(index)])
    assert torch.equal(step.results, plain.results)
    assert not step.arithmetic.compiled
    for name, value in plain.network.state_dict().items():
        assert torch.equal(step.network.state_dict()[name], value), name
    assert capsys.readouterr().err == (
        "train: going on without compiling the step (no backward pass today)\n"
    )


def test_a_backward_pass_that_must_be_compiled_is_explained(prepared):
    step = make_step(prepared, compile="always")
    step.losses = without_backward(step.objective)
    with pytest.raises(TrainingError, match=r"cannot be compiled here \(no backward pass today\)"):
        step(torch.arange(16))


@pytest.mark.slow
def test_a_step_that_cannot_be_compiled_is_explained(command, tmp_path):
    arguments = command(system="cnn", train={"compile": "always"})
    nowhere = {"CXX": str(tmp_path / "no-compiler"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    result = run(arguments, env=os.environ | nowhere)
    assert result.returncode == 1
    line = result.stderr.splitlines()[-1]
    assert "the step cannot be compiled here" in line
    assert "set it to auto or never" in line
    assert not (tmp_path / "model.h5").exists()


@pytest.mark.slow
def test_kept_epochs_are_those_of_a_training_that_ends_there(command, tmp_path):
    call(*command(train={"epochs": 6, "keep_epochs": [2, 4]}, output="long.h5"))
    call(*command(train={"epochs": 2}, output="short.h5"))
    early, short = load_model(tmp_path / "long.h5", epoch=2), load_model(tmp_path / "short.h5")
    for name, value in short.network.state_dict().items():
        assert torch.equal(early.network.state_dict()[name], value), name
    assert len(early.history["loss"]) == 6
    with pytest.raises(InputError, match=r"long\.h5 does not keep epoch 3 \(kept: 2, 4\)"):
        load_model(tmp_path / "long.h5", epoch=3)
    with pytest.raises(ConfigError, match="keep_epochs = 9 comes after the last epoch"):
        call(*command(train={"epochs": 6, "keep_epochs": [9]}))


def test_the_model_file_says_what_it_was_computed_with(command, tmp_path):
    call(*command(train={"epochs": 1, "precision": "bfloat16"}))
    model = load_model(tmp_path / "model.h5")
    assert model.arithmetic == Arithmetic("cpu", "bfloat16", compiled=False)
    assert str(model.arithmetic) == "bfloat16 on a CPU, not compiled"
    call(*command(system="untrained", output="untrained.h5"))
    assert load_model(tmp_path / "untrained.h5").arithmetic is None


def test_training_without_validation_sounds_has_no_validation(command, prepared, tmp_path):
    section = json.dumps({"pairs": {"validation_share": 0}})
    call(
        "pairs",
        prepared / "tags.h5",
        prepared / "0000.h5",
        "--params",
        section,
        "-o",
        tmp_path / "p.h5",
    )
    arguments = command(train={"epochs": 1})
    arguments[1] = tmp_path / "p.h5"
    call(*arguments)
    figures = ("--directory", tmp_path / "figures")
    call("figures", tmp_path / "model.h5", tmp_path / "p.h5", *figures)
    model = load_model(tmp_path / "model.h5")
    assert set(model.history) == {"reconstruction", "contrastive", "loss"}
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["curves.png"]
