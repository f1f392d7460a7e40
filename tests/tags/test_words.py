"""Word models other than Word2Vec: fastText for any spelling, and vectors of a file."""

import gzip
import json

import numpy as np
import pytest
from gensim.models import FastText

from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.tags.pretrained import read_pretrained
from tagalign.tags.vectors import WordVectors
from tagalign.tags.vocabulary import build_vocabulary
from tagalign.tags.word2vec import BUCKETS, run, train_fasttext
from tagalign.tags.words import LONGEST, SHORTEST

SETTINGS = config.resolve_sections({}, ["word2vec"])["word2vec"]
TEXT = "dog 1 0\nRain 0 1\nthunder 0 2\nstorm 2 0\nzebra 3 3\n"


def written(path, text=TEXT):
    path.write_text(text)
    return path


def test_fasttext_gives_known_and_unknown_words_what_gensim_gives():
    vocabulary = ["thunderstorm", "my-thunder", "dog", "dogs-barking"]
    rows = [[0, 1], [2, 3], [0, 1, 2]]
    model = train_fasttext(rows, vocabulary, 8, SETTINGS | {"epochs": 3})
    truth = FastText(
        [[vocabulary[index] for index in row] for row in rows],
        vector_size=8,
        window=100,
        epochs=3,
        alpha=0.025,
        min_count=1,
        workers=1,
        seed=0,
        bucket=BUCKETS,
        min_n=SHORTEST,
        max_n=LONGEST,
    ).wv
    assert np.array_equal(model.vectors, np.stack([truth[tag] for tag in vocabulary]))
    # All parts of this word occur in the vocabulary, so nothing in it is untrained.
    assert np.allclose(model.vector("thunder"), truth["thunder"])
    assert np.array_equal(model.vector("dog"), truth["dog"])
    assert model.vector("qqqq") is None


def test_a_file_gives_vectors_and_means_of_words(tmp_path):
    vocabulary = ["rain", "thunder-storm", "nothing", "dog"]
    model = read_pretrained(written(tmp_path / "v.txt"), vocabulary, 100)
    assert model.vectors.tolist() == [[0, 1], [1, 1], [0, 0], [1, 0]]
    assert model.vector("nothing") is None
    assert model.vector("zebra").tolist() == [3, 3]
    assert model.vector("zebra-dog").tolist() == [2, 1.5]
    assert "nothing" not in model.known


def test_the_first_words_are_kept_and_those_of_the_vocabulary_always(tmp_path):
    model = read_pretrained(written(tmp_path / "v.txt"), ["zebra"], 1)
    assert model.vector("zebra") is not None
    assert model.more.words == ["dog"]


def test_header_and_gzip_change_nothing(tmp_path):
    plain = read_pretrained(written(tmp_path / "v.txt"), ["dog"], 9)
    header = read_pretrained(written(tmp_path / "h.txt", "5 2\n" + TEXT), ["dog"], 9)
    (tmp_path / "v.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    packed = read_pretrained(tmp_path / "v.txt.gz", ["dog"], 9)
    for other in (header, packed):
        assert other.more.words == plain.more.words
        assert np.array_equal(other.more.vectors, plain.more.vectors)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"dog 1 0\nrain 1\n", "line 2: not a word and 2 numbers"),
        (b"dog 1 nan\n", "line 1: not a word"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"", "holds no word vectors"),
        (b"zebra 1 2\n", "has none of the 1 tags"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path, content, said):
    (tmp_path / "v.txt").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_pretrained(tmp_path / "v.txt", ["dog"], 9)
    assert "\n" not in str(caught.value)


def test_real_glove_knows_most_tags_and_finds_neighbours(shared):
    tags = json.loads((shared / "data" / "tags" / "freesound_id_to_tags.json").read_text())
    settings = config.resolve_sections({}, ["tags"])["tags"] | {"vocabulary_size": 500}
    vocabulary = build_vocabulary(list(tags.values()), settings).words
    path = shared / "data" / "glove" / "glove.100d.txt.gz"
    model = read_pretrained(path, vocabulary, 20000)
    assert model.vectors.any(axis=1).mean() > 0.9

    def cosine(one, other):
        a, b = model.vector(one), model.vector(other)
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    assert cosine("dog", "cat") > cosine("dog", "economy")


@pytest.mark.parametrize("kind", ["fasttext", "pretrained"])
def test_the_stage_writes_the_same_bytes_again(tmp_path, kind):
    from stage_files import write_tags

    write_tags(tmp_path / "tags.h5", {"1": [0, 1], "2": [1]}, ["dog", "rain"])
    section = SETTINGS | {"kind": kind, "file": str(written(tmp_path / "v.txt"))}
    for name in ("a", "b"):
        run(tmp_path / f"{name}.h5", tmp_path / "tags.h5", 16, {"word2vec": section})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    found = WordVectors.read(tmp_path / "a.h5")
    assert found.vectors.shape == (2, 2 if kind == "pretrained" else 16)
    assert found.more is not None
