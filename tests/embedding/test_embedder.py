"""The Python interface: the same bits in any company, two spaces, tags as people write them."""

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import tagalign
from small_model import write_model
from tagalign.embedding.embedder import best
from tagalign.embedding.spaces import cosine
from tagalign.errors import AudioError, InputError


@pytest.fixture(scope="module")
def model(model_path):
    return tagalign.load(model_path)


def test_a_path_and_an_array_alone_and_in_a_batch_give_the_same_bits(model, sounds):
    paths = [sounds / "101676_A.ogg", str(sounds / "stereo.wav"), sounds / "13116_elec_bell.ogg"]
    together = model.embed(paths)
    assert together.shape == (3, 72)
    assert together.dtype == np.float32
    arrays = []
    for row, path in enumerate(paths):
        np.testing.assert_array_equal(model.embed(path), together[row])
        samples, rate = soundfile.read(path)
        arrays.append(samples)
        np.testing.assert_array_equal(model.embed(samples, rate), together[row])
        np.testing.assert_array_equal(model.embed(samples.astype("f4"), rate), together[row])
    np.testing.assert_array_equal(model.embed([*arrays[::-1], paths[0]], rate)[:3], together[::-1])
    aligned = model.embed(paths, aligned=True)
    assert aligned.shape == (3, 128)
    np.testing.assert_array_equal(model.embed(paths[1], aligned=True), aligned[1])


def test_an_embedding_is_the_mean_of_those_over_time(model_path, sounds):
    clips = {"pad_to_seconds": 0, "tail": "pad", "patch_weights": "equal"}
    model = tagalign.load(model_path, clips=clips)
    path = sounds / "101676_A.ogg"
    times, vectors = model.embed_over_time(path)
    assert times.tolist() == [index * 96 * 512 / 22050 for index in range(len(vectors))]
    np.testing.assert_allclose(np.mean(vectors, axis=0), model.embed(path), rtol=1e-5, atol=1e-6)
    _, aligned = model.embed_over_time(path, aligned=True)
    mean = model.embed(path, aligned=True)
    np.testing.assert_allclose(np.mean(aligned, axis=0), mean, rtol=1e-4, atol=1e-5)


def test_similarity_is_the_cosine_of_aligned_embeddings(model, sounds):
    paths, sets = [sounds / "101676_A.ogg", sounds / "stereo.wav"], ["dog, bark", "rain", ["dog"]]
    audio, tags = np.asarray(model.embed(paths, aligned=True)), np.asarray(model.embed_tags(sets))
    lengths = np.linalg.norm(audio, axis=1)[:, None] * np.linalg.norm(tags, axis=1)
    found = model.similarity(paths, sets)
    np.testing.assert_allclose(found, audio @ tags.T / lengths, atol=1e-6)
    np.testing.assert_allclose(model.similarity(paths[0], sets), found[0], atol=1e-6)
    np.testing.assert_allclose(model.similarity(paths, "rain"), found[:, 1], atol=1e-6)
    assert np.ndim(model.similarity(paths[0], "rain")) == 0
    nearest = model.nearest_tags(paths[0], k=4)
    truth = model.similarity(paths[0], [[tag] for tag in model.model.vocabulary])
    assert [tag for tag, _ in nearest] == [model.model.vocabulary[i] for i in np.argsort(-truth)]
    both = model.nearest_tags(paths, k=2)
    assert [tag for tag, _ in both[0]] == [tag for tag, _ in nearest[:2]]


def test_what_cannot_be_compared_is_refused(model, sounds, tmp_path):
    path = sounds / "101676_A.ogg"
    plain, aligned = model.embed(path), model.embed(path, aligned=True)
    tags = model.embed_tags("dog")
    with pytest.raises(InputError, match=r"cannot compare embeddings \(z_a.* with aligned.*phi_w"):
        model.similarity(plain, tags)
    with pytest.raises(InputError, match=r"--aligned"):
        model.nearest_tags(plain[None])
    other = tagalign.load(write_model(tmp_path / "other.h5", "w2v-128-mean"))
    with pytest.raises(InputError, match="cannot compare vectors of two models"):
        other.similarity(aligned, "dog")
    with pytest.raises(InputError, match=r"an array of shape \(128,\) does not say what it holds"):
        cosine(np.asarray(aligned), tags)
    named = tagalign.Embeddings(np.asarray(aligned), "aligned_embedding", model.digest)
    np.testing.assert_array_equal(cosine(named, tags), cosine(aligned, tags))
    with pytest.raises(InputError, match="there is no space 'z_a'; give one of embedding, al"):
        tagalign.Embeddings([1.0], "z_a", "")
    with pytest.raises(InputError, match="these are embeddings already"):
        model.embed(aligned)
    wide = tagalign.load(write_model(tmp_path / "wide.h5", "w2v-1152-mean", channels=128))
    assert wide.embed(path).shape == wide.embed_tags("dog").shape == (1152,)
    with pytest.raises(InputError, match="cannot compare"):
        cosine(wide.embed(path), wide.embed_tags("dog"))


def test_bad_sounds_say_what_is_wrong(model, sounds):
    for sound, message in [
        (np.zeros(10), r"samples need their rate in Hz: embed\(array, rate\)"),
        (3.5, "a sound is a path or an array of samples, not float|iterable"),
        ([3.5], "a sound is a path or an array of samples, not float"),
        ([], "no sound was given"),
    ]:
        with pytest.raises((InputError, TypeError), match=message):
            model.embed(sound)
    with pytest.raises(AudioError, match=r"text\.wav: not a readable sound"):
        model.embed([sounds / "101676_A.ogg", sounds / "text.wav"])


def test_tags_are_taken_as_people_write_them(model):
    expected = np.asarray(model.embed_tags([["dog", "bark"], ["field-recording"]]))
    for given in (
        ["Dogs, barks", "field recording"],
        ["dog bark", "Field_Recordings"],
        ["#dog, zebra, bark, dogs", ["field recording"]],
    ):
        np.testing.assert_array_equal(model.embed_tags(given), expected)
    np.testing.assert_array_equal(model.embed_tags("dog, bark"), expected[0])
    message = r"no tag of 'dgo, zebra'.*'dgo' is not in .*\(nearest: dog\).*commas between tags"
    with pytest.raises(InputError, match=message):
        model.embed_tags("dgo, zebra")
    with pytest.raises(InputError, match=r"no tag of ', ' can be embedded: it is empty"):
        model.embed_tags([", "])


def test_attention_is_what_mixes_the_tags(model):
    seen = model.attention("rain, zebra, dog")
    assert seen.tags == ["rain", "dog"]
    assert seen.weights.shape == (4, 2, 2)
    np.testing.assert_allclose(seen.weights.sum(axis=2), 1, rtol=1e-6)
    encoder = model.model.network.tag_encoder
    vectors = encoder.words.vectors.numpy()[[2, 0]]
    query = (vectors @ encoder.query.weight.numpy().T).reshape(2, 4, 128)
    key = (vectors @ encoder.key.weight.numpy().T).reshape(2, 4, 128)
    scores = np.einsum("ihd,jhd->hij", query, key) / np.sqrt(128)
    truth = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(seen.weights, truth, rtol=1e-4, atol=1e-6)
    whole = model.model.attention([["rain", "dog"]])
    assert whole.shape == (1, 4, 10, 10)
    assert not whole[:, :, 2:].any()
    assert not whole[:, :, :, 2:].any()


def test_a_system_without_attention_says_so(tmp_path):
    model = tagalign.load(write_model(tmp_path / "mean.h5", "w2v-128-mean"))
    with pytest.raises(InputError, match="w2v-128-mean has no attention"):
        model.attention("dog")


def test_the_best_are_in_order_and_ties_too():
    scores = np.array([0.1, 0.5, 0.5, 0.9, 0.5], np.float32)
    assert best(scores, 3).tolist() == [3, 1, 2]
    assert best(scores, 9).tolist() == [3, 1, 2, 4, 0]


def test_importing_tagalign_is_cheap_and_it_lists_what_it_has():
    program = (
        "import sys, tagalign\n"
        "assert set(tagalign.__all__) <= set(dir(tagalign))\n"
        "print(sorted({'torch', 'numpy', 'h5py', 'librosa'} & set(sys.modules)))\n"
        "[getattr(tagalign, name) for name in tagalign.__all__]"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.stdout.strip(), result.returncode) == ("[]", 0), result.stderr
    with pytest.raises(AttributeError, match="has no attribute 'loda'"):
        tagalign.loda  # noqa: B018


PUBLIC = [
    "tagalign",
    "tagalign.audio.decode",
    "tagalign.cli.text",
    "tagalign.embedding.embedder",
    "tagalign.embedding.file",
    "tagalign.embedding.index",
    "tagalign.embedding.spaces",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_examples_of_the_docstrings(name, users_files, monkeypatch):
    """In a directory with a model, two sounds, and files that the verbs made of them."""
    monkeypatch.chdir(users_files)
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert tried
    assert not failed
