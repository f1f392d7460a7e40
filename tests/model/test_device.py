"""The device is chosen and named; a GPU that cannot be used is told."""

import pytest
import torch

from tagalign.errors import ConfigError
from tagalign.model import device
from tagalign.model.device import choose_device, describe_device, why_no_gpu

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


def test_the_cpu_is_named_with_its_threads():
    assert choose_device("cpu") == torch.device("cpu")
    threads = torch.get_num_threads()
    assert describe_device(torch.device("cpu")).startswith(f"CPU, {threads} thread")


@without_gpu
def test_a_gpu_that_is_there_and_cannot_be_used_is_a_warning_with_the_reason(
    tmp_path, monkeypatch, capsys
):
    assert choose_device("auto") == torch.device("cpu")
    assert capsys.readouterr().err == "", "no GPU, nothing to tell"
    (tmp_path / "0000:01:00.0").mkdir()  # as the driver lists it
    monkeypatch.setattr(device, "DRIVER", tmp_path)
    assert choose_device("auto") == torch.device("cpu")
    assert capsys.readouterr().err == f"warning: not using the GPU: {why_no_gpu()}\n"
    choose_device("cpu")
    assert capsys.readouterr().err == "", "the user chose the CPU"


@without_gpu
def test_a_gpu_that_is_asked_for_and_not_there_names_the_key():
    with pytest.raises(ConfigError, match=r"'cuda' was asked for \(compute\.device .*, but this"):
        choose_device("cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_is_named():
    assert describe_device(choose_device("auto")) == torch.cuda.get_device_name()


def test_another_device():
    with pytest.raises(ConfigError, match="'tpu' is not one of auto, cpu, cuda"):
        choose_device("tpu")
