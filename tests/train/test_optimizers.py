"""The tables that a training is put together from agree with the configuration."""

import pytest

from tagalign.config.schema import section_schema
from tagalign.model.audio import AUDIO_ENCODERS
from tagalign.model.losses import LOSSES
from tagalign.model.systems import PARTS, SYSTEMS
from tagalign.model.tags import TAG_ENCODERS
from tagalign.train.optimizers import OPTIMIZERS

TRAIN = section_schema("train")["properties"]


def test_the_configuration_takes_every_optimizer():
    assert TRAIN["optimizer"]["enum"] == list(OPTIMIZERS)


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_has_a_weight_and_the_parts_that_it_needs(loss):
    assert f"{loss}_weight" in TRAIN
    assert PARTS[loss]


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=lambda system: system.name)
def test_each_system_is_made_of_parts_and_losses_that_there_are(system):
    assert set(system.losses) <= LOSSES.keys() == PARTS.keys()
    assert system.audio_encoder in AUDIO_ENCODERS
    assert system.tag_encoder is None or system.tag_encoder in TAG_ENCODERS
