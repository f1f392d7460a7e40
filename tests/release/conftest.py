"""The released tag encoder and what belongs to it."""

import json

import pytest
import torch


@pytest.fixture(scope="session")
def reference(shared):
    """Directory with the part of the authors' release that is shared."""
    return shared / "reference"


@pytest.fixture(scope="session")
def released_state(reference):
    """State dict of the released 128-d one-head tag encoder."""
    path = reference / "ae_w2v_128_selfatt_c_1h" / "tag_encoder_att_epoch_200.pt"
    return torch.load(path, map_location="cpu", weights_only=True)


@pytest.fixture(scope="session")
def us8k_tag_ids(reference):
    """The authors' vocabulary indices of the tags of each US8K recording that has any."""
    rows = json.loads((reference / "us8k_tag_ids.json").read_text())
    return {identifier: ids for identifier, ids in rows.items() if ids}
