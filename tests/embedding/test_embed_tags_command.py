"""`tagalign embed-tags`: aligned embeddings of sets of tags, and what attention sees."""

import numpy as np
import pytest
from click.testing import CliRunner

from tagalign import store
from tagalign.cli import cli
from tagalign.errors import InputError
from tagalign.model.file import load_model


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_embed_tags(model_path, tmp_path):
    output = tmp_path / "tags.h5"
    result = run(
        "embed-tags", model_path, "Dogs, dog, barks, zebra", "field recording", "-o", output
    )
    assert result.exit_code == 0, result.output
    assert "'zebra' is not in the vocabulary" in result.output
    assert "aligned embeddings (phi_w) of 2 sets" in result.output
    with store.read(output, stage="embed-tags") as file:
        assert store.read_ragged(file["tags"]) == [["dog", "bark"], ["field-recording"]]
        expected = load_model(model_path).embed_tags([["dog", "bark"], ["field-recording"]])
        np.testing.assert_array_equal(file["aligned_embedding"][()], expected)
        assert file.attrs["space"] == "aligned_embedding"
        assert "attention" not in file


def test_attention_is_written_when_asked_for(model_path, tmp_path):
    output = tmp_path / "tags.h5"
    assert run("embed-tags", model_path, "dog, bark", "--attention", "-o", output).exit_code == 0
    with store.read(output) as file:
        expected = load_model(model_path).attention([["dog", "bark"]])
        np.testing.assert_array_equal(file["attention"][()], expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zebra, yak", "no tag of 'zebra, yak'"),
        ("dogz barkx", r"'dogz barkx' is not in .*nearest: dog, bark.*put commas between tags"),
    ],
)
def test_unknown_tags_are_refused_with_the_nearest(model_path, tmp_path, text, message):
    refused = run("embed-tags", model_path, text, "-o", tmp_path / "none.h5")
    with pytest.raises(InputError, match=message):
        raise refused.exception
    assert not (tmp_path / "none.h5").exists()


def test_words_without_commas_are_taken_one_by_one_and_it_says_so(model_path, tmp_path):
    done = run("embed-tags", model_path, "dogs bark", "-o", tmp_path / "tags.h5")
    assert "taken as its words: dog, bark (put commas between tags)" in done.stderr
    with store.read(tmp_path / "tags.h5") as file:
        assert store.read_ragged(file["tags"]) == [["dog", "bark"]]
