"""An index is searched by tags or a sound, ranks by cosine and needs nothing else."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import tagalign
from small_model import write_model
from tagalign.cli import cli
from tagalign.embedding.index import Index
from tagalign.errors import InputError


def run(*arguments):
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if result.exit_code:
        raise result.exception
    return result


@pytest.fixture
def about(sounds):
    (sounds / "about.csv").write_text(
        "file,username,license,note\nbelow/110389_A.ogg,ann,CC0 1.0,x\nstereo.wav,bob,,y\n"
    )
    return sounds / "about.csv"


def test_search_ranks_by_the_cosine_with_the_tags(model_path, sounds, about, tmp_path):
    output = tmp_path / "index.h5"
    done = run("index", model_path, sounds, "--about", about, "-o", output)
    assert "index: text.wav: not a readable sound" in done.output
    model, index = tagalign.load(model_path), tagalign.read_index(output)
    ids = index.ids
    truth = model.similarity([sounds / name for name in ids], "dog, bark")
    hits = index.search(["dog", "bark"], 3)
    assert [hit.id for hit in hits] == [ids[row] for row in np.argsort(-truth)[:3]]
    np.testing.assert_allclose([hit.score for hit in hits], np.sort(truth)[::-1][:3], atol=1e-6)

    model_path = None  # the index is enough
    found = json.loads(run("search", output, "dogs, bark, zebra", "--json", "-k", 9).stdout)
    assert [hit["id"] for hit in found] == [ids[row] for row in np.argsort(-truth)]
    by_id = {hit["id"]: hit for hit in found}
    assert by_id["below/110389_A.ogg"]["username"] == "ann"
    assert by_id["below/110389_A.ogg"]["license"] == "CC0 1.0"
    assert "license" not in by_id["stereo.wav"]
    shown = run("search", output, "dogs, bark, zebra", "-k", 9)
    assert "'zebra' is not in the vocabulary" in shown.stderr
    header, *lines = shown.stdout.splitlines()
    assert header.split() == ["score", "id", "username", "license"]
    assert [line.split()[2] for line in lines] == [hit["id"] for hit in found]


def test_a_sound_is_nearest_to_itself(model_path, sounds, tmp_path):
    run("index", model_path, sounds, "-o", tmp_path / "index.h5")
    like = sounds / "13116_elec_bell.ogg"
    found = json.loads(run("search", tmp_path / "index.h5", "--like", like, "--json").stdout)
    assert found[0]["id"] == like.name
    assert found[0]["score"] == pytest.approx(1, abs=1e-5)


def test_a_model_without_tags_is_searched_by_sounds_alone(sounds, tmp_path):
    path = write_model(tmp_path / "cnn.h5", "cnn")
    run("index", path, sounds, "-o", tmp_path / "index.h5")
    index = tagalign.read_index(tmp_path / "index.h5")
    assert index.vectors.space == "embedding"
    with pytest.raises(InputError, match="system cnn, which knows no tags; search it by a sound"):
        index.search("dog")
    assert index.like(sounds / "stereo.wav", 2)[0].score == pytest.approx(1, abs=1e-5)


def test_details_come_from_a_catalogue_too(model_path, corpus, tmp_path):
    source = {
        "kind": "folder",
        "exclude_target_tasks": False,
        "folder": {
            "csv": str(corpus / "sounds.csv"),
            "audio": str(corpus / "audio"),
            "id_column": "freesound_id",
        },
    }
    params = json.dumps({"source": source})
    run("catalogue", "--params", params, "-o", tmp_path / "catalogue.h5")
    sound = corpus / "audio" / "101676_A.ogg"
    options = ["--about", tmp_path / "catalogue.h5", "-o", tmp_path / "index.h5"]
    run("index", model_path, sound, *options)
    (hit,) = tagalign.read_index(tmp_path / "index.h5").search("dog")
    assert hit.details["url"] == "https://freesound.org/s/101676/"
    assert hit.details["license"].startswith("CC")


def test_a_search_is_one_product_over_any_number_of_sounds(model_path):
    """What is found among 200,000 is what a slow search finds."""
    vectors = np.random.default_rng(0).normal(size=(200_000, 128)).astype(np.float32)
    model = tagalign.load(model_path)
    index = Index(
        space="aligned_embedding",
        system="w2v-128-4h",
        model=model.digest,
        ids=np.arange(len(vectors)).astype(str).tolist(),
        aligned_embedding=vectors,
        model_file=np.fromfile(model_path, np.uint8),
        failed=[],
    )
    hits = index.search("dog", 5)
    query = np.asarray(model.embed_tags("dog"), np.float64)
    truth = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    assert [int(hit.id) for hit in hits] == np.argsort(-truth)[:5].tolist()


def test_what_is_asked_wrongly_is_refused(model_path, sounds, tmp_path):
    run("index", model_path, sounds, "-o", tmp_path / "index.h5")
    (tmp_path / "about.csv").write_text("file,note\na,b\n")
    for arguments, message in [
        (["search", tmp_path / "index.h5", "zebra"], "no tag of 'zebra'"),
        (["search", model_path, "dog"], "was made by stage 'train', but a file of stage 'index'"),
        (["search", tmp_path / "index.h5", "--like", sounds / "text.wav"], "not a readable sound"),
        (
            ["index", model_path, sounds, "--about", tmp_path / "about.csv", "-o", tmp_path / "x"],
            "it needs id or file, and some of name, username",
        ),
    ]:
        with pytest.raises(InputError, match=message):
            run(*arguments)
    result = CliRunner().invoke(cli, ["search", str(tmp_path / "index.h5")])
    assert result.exit_code == 2
    assert "give either TAGS or --like SOUND" in result.output


def test_the_nearest_tags_of_sounds(model_path, sounds):
    paths = [sounds / "stereo.wav", sounds / "101676_A.ogg"]
    expected = tagalign.load(model_path).nearest_tags(paths, k=3)
    found = json.loads(run("tag", model_path, *paths, "-k", 3, "--json").stdout)
    for path, tags in zip(paths, expected, strict=True):
        assert [row["tag"] for row in found[path.name]] == [tag for tag, _ in tags]
        scores = [score for _, score in tags]
        assert [row["score"] for row in found[path.name]] == pytest.approx(scores, abs=1e-6)
    lines = run("tag", model_path, paths[0], "-k", 3).stdout.splitlines()
    assert [line.split()[1] for line in lines] == [tag for tag, _ in expected[0]]
