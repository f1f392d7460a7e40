"""The table of systems, and that its rows become the networks of the papers."""

import json

import pytest
import torch

from tagalign.config import load as config
from tagalign.config.schema import read_schema
from tagalign.errors import ConfigError, InputError
from tagalign.model.network import Network
from tagalign.model.objective import Objective
from tagalign.model.systems import SYSTEMS, System, find_system

PARTS = {
    "w2v-128-1h": {"audio_encoder", "projection", "audio_decoder", "tag_encoder"},
    "coala": {"audio_encoder", "projection", "audio_decoder", "tag_encoder", "tag_decoder"},
    "coala-e-c": {"audio_encoder", "projection", "tag_encoder"},
    "cnn": {"audio_encoder", "classifier"},
    "untrained": {"audio_encoder"},
}


def build(system, settings, size=32, vocabulary=9):
    vectors = None if system.width is None else torch.randn(vocabulary, system.width)
    return Network(system, settings, size, size, vocabulary, vectors)


def test_table_has_the_default_systems_of_the_configuration():
    listed = read_schema()["properties"]["systems"]["default"]
    assert [*listed[1:], "untrained"] == list(SYSTEMS)
    assert listed[0] == "mfcc"


@pytest.mark.parametrize("name", PARTS)
def test_a_system_has_the_parts_that_its_losses_need(name, settings):
    network = build(SYSTEMS[name], settings | {"channels": 2})
    everything = set().union(*PARTS.values())
    parts = {part for part, _ in network.named_children() if part in everything}
    assert parts == PARTS[name]


def test_the_cnn_ends_at_the_epoch_that_its_authors_score():
    settings = {"epochs": 200, "keep_epochs": [100, 20, 10]}
    assert SYSTEMS["cnn"].epochs_of(settings) == 20
    assert SYSTEMS["cnn"].epochs_of(settings | {"epochs": 5}) == 5
    assert SYSTEMS["coala"].epochs_of(settings) == 200
    assert SYSTEMS["coala"].kept_epochs(settings) == [10, 20, 100]
    assert SYSTEMS["cnn"].kept_epochs(settings) == [10]


def test_coala_has_the_layers_of_its_paper(settings):
    network = build(SYSTEMS["coala"], settings, size=96, vocabulary=1000)
    layers = [tuple(w.shape) for w in network.tag_encoder.parameters() if w.ndim == 2]
    assert layers == [(512, 1000), (512, 512), (1152, 512), (1152, 1152)]
    layers = [tuple(w.shape) for w in network.tag_decoder.parameters() if w.ndim == 2]
    assert layers == [(512, 1152), (512, 512), (1000, 512)]
    assert isinstance(network.audio_encoder.layer_norm, torch.nn.Identity)


def test_losses_of_coala_weigh_5_5_10(settings):
    train = config.resolve_sections({}, ["train"])["train"]
    objective = Objective(build(SYSTEMS["coala"], settings), SYSTEMS["coala"], train, 10)
    assert objective.names == ["reconstruction", "tag_reconstruction", "contrastive"]
    assert objective.weights == [5, 5, 10]
    assert objective.total(torch.tensor([1.0, 10.0, 100.0])).item() == 1055


def test_the_released_tag_decoder_counts_but_trains_nothing(reference):
    train = config.resolve_sections({}, ["train"])["train"]
    system = SYSTEMS["w2v-128-1h"]
    network = build(system, reference | {"channels": 2})
    objective = Objective(network, system, train, 10)
    losses = objective(torch.rand(4, 1, 32, 32), torch.randint(0, 9, (4, 3)))
    assert objective.names == ["reconstruction", "contrastive", "tag_reconstruction"]
    assert losses[2].item() > 0.5
    objective.total(losses).backward()
    assert all(weight.grad is None for weight in network.tag_decoder.parameters())
    assert network.tag_encoder.query.weight.grad.abs().sum() > 0


def test_word_vector_systems_read_the_first_tags_and_coala_all(settings):
    train = config.resolve_sections({}, ["train"])["train"]
    tags = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 7]])
    other = torch.tensor([[0, 1, 2, 8], [4, 5, 6, 8]])
    torch.manual_seed(0)
    patches = torch.rand(2, 1, 32, 32)
    for name, same in (("w2v-128-mean", True), ("coala", False)):
        system = SYSTEMS[name]
        network = build(system, settings | {"channels": 16}).eval()
        objective = Objective(network, system, train, tags_per_sound=3)
        first, second = (objective.outputs(patches, t)["phi_w"] for t in (tags, other))
        assert torch.equal(first, second) == same


def test_a_description_survives_the_model_file():
    for system in SYSTEMS.values():
        assert System.from_dict(json.loads(json.dumps(system.to_dict()))) == system


def test_an_unknown_system_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no system 'w2v-128-4'; did you mean 'w2v-128-4h'\?"):
        find_system("w2v-128-4")


def test_word_vectors_must_fit(settings):
    system = SYSTEMS["w2v-1152-mean"]
    with pytest.raises(InputError, match="needs word vectors of size 1152; give --word2vec"):
        Network(system, settings, 32, 32, 9, None)
    with pytest.raises(InputError, match="word vectors of 9 tags, not 8"):
        Network(system, settings, 32, 32, 9, torch.zeros(8, 1152))
