"""The encoder interface of X-ARES, as its own checker sees it."""

import importlib

import pytest
import torch

from tagalign import hear, xares


def test_its_own_checker_takes_the_encoder(model_path, monkeypatch):
    checker = pytest.importorskip(
        "xares.audio_encoder_checker", reason="install it: pip install --no-deps xares loguru"
    )
    monkeypatch.setenv("TAGALIGN_MODEL", str(model_path))
    assert checker.check_audio_encoder(xares.TagalignEncoder())


def test_it_is_found_as_the_runner_looks_for_it():
    """It takes the one class of a module whose name ends in Encoder."""
    module = importlib.import_module("tagalign/xares.py".removesuffix(".py").replace("/", "."))
    assert [name for name in dir(module) if name.endswith("Encoder")] == ["TagalignEncoder"]


def test_the_embeddings_are_as_far_apart_as_it_says(model_path, monkeypatch):
    monkeypatch.setenv("TAGALIGN_MODEL", str(model_path))
    encoder = xares.TagalignEncoder()
    audio = torch.rand(2, 60_000)
    found = encoder(audio)
    expected, times = hear.get_timestamp_embeddings(audio, encoder.model)
    assert torch.equal(found, expected)
    assert found.shape[2] == encoder.output_dim
    torch.testing.assert_close(
        times[0].diff().mean().item(), encoder.hop_size_in_ms, rtol=1e-4, atol=0
    )
