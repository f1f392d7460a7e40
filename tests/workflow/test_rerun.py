"""What reruns is exactly what could change a result. Each test reads a dry run."""

import shutil

import pytest

from tiny_project import Project

pytestmark = pytest.mark.slow

AFTER_TRAIN = {"train", "figures", "retrieve", "embed_task", "evaluate", "zeroshot", "report"}
AFTER_PAIRS = {"pairs", "leaks", *AFTER_TRAIN}


def test_nothing_is_left_to_do_after_a_run(project):
    done = project.snakemake("--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_editing_code_reruns_its_stage_and_what_follows(project):
    """Which file belongs to which stage, tests/planning/test_code.py says."""
    path = project.root / "src" / "tagalign" / "train" / "loop.py"
    path.touch()
    assert project.rules() == set()
    path.write_text(path.read_text() + "\n# edited\n")
    assert project.rules() == AFTER_TRAIN


def test_editing_figures_help_and_other_tasks_reruns_only_what_shows_figures(project):
    for name in ("report/training", "report/figures", "tasks/gtzan", "cli/options", "cli/train"):
        path = project.root / "src" / "tagalign" / f"{name}.py"
        path.write_text(path.read_text() + "\n# edited\n")
    assert project.rules() == {"figures", "report"}


def test_editing_the_catalogue_reruns_it(project):
    path = project.root / "src/tagalign/sources/folder.py"
    path.write_text(path.read_text() + "\n# edited\n")
    # What follows is known only after it has run.
    assert {"catalogue", "tags"} <= project.rules()


def test_a_touch_of_everything_reruns_nothing(project):
    for part in ("src", "corpus", "workflow", "envs"):
        for path in (project.root / part).rglob("*"):
            path.touch()
    assert project.rules() == set()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"train": {"learning_rate": 0.01}}, AFTER_TRAIN),
        ({"patches": {"window": "hann"}}, {"patches", "task", *AFTER_PAIRS}),
        ({"word2vec": {"epochs": 9}}, {"word2vec", *AFTER_TRAIN}),
        ({"pairs": {"seed": 3}}, AFTER_PAIRS),
        (
            {"clips": {"tail": "drop"}},
            {"task", "leaks", "embed_task", "evaluate", "zeroshot", "report"},
        ),
        ({"evaluate": {"hidden": 5}}, {"evaluate", "report"}),
        ({"report": {"confidence": 0.9}, "source": {"freesound": {"query": "dog"}}}, {"report"}),
    ],
)
def test_a_key_reruns_the_stages_that_read_it(project, change, expected):
    project.configure(**change)
    rules = project.rules() - {"configuration"}
    # The report shows the whole configuration, so that it follows every change of a result.
    assert rules - {"report"} == expected - {"report"}


def test_hardware_rates_and_logs_rerun_nothing(project):
    """Only config.yaml, which says what they are, is written again."""
    options = [
        *("--set-threads", "train=2", "task=1"),
        *("--default-resources", "slurm_partition=other", "slurm_account=me"),
        *("--set-resources", "train:mem_mb=9", "train:runtime=9", "train:gpu=2"),
        *("--verbose", "--quiet", "host"),
    ]
    assert project.rules(*options) == set()
    rates = {"requests_per_minute": 5, "downloads": 1}
    project.configure(compute={"device": "auto"}, source={"freesound": rates})
    assert project.rules(*options) == {"configuration"}


def test_moving_the_data_reruns_nothing(project):
    (project.root / "corpus").rename(project.root / "elsewhere")
    place = {"csv": "elsewhere/sounds.csv", "audio": "elsewhere/audio"}
    project.configure(source={"folder": place}, datasets={"pets": place})
    assert project.rules() == {"configuration"}


def test_moving_the_project_reruns_nothing(project, tmp_path):
    moved = shutil.move(project.root, tmp_path / "moved")
    assert Project(moved).rules() == set()


def test_changed_tags_in_the_csv_rerun_the_catalogue(project):
    table = project.root / "corpus" / "sounds.csv"
    table.write_text(table.read_text().replace("ambient", "quiet"))
    assert "catalogue" in project.rules()


def test_a_new_seed_runs_only_what_is_new(project):
    project.configure(seeds=[0, 1])
    jobs = project.dry()
    assert {job.rule for job in jobs} == {*AFTER_TRAIN, "configuration"}
    assert {job.wildcards["seed"] for job in jobs if "seed" in job.wildcards} == {"1"}


def test_a_new_system_runs_only_what_is_new(project):
    project.configure(systems=[*project.config["systems"], "w2v-128-1h"])
    jobs = project.dry()
    assert {job.rule for job in jobs} == {*AFTER_TRAIN, "configuration"}
    new = {job.wildcards["system"] for job in jobs if "system" in job.wildcards}
    assert new == {"w2v-128-1h"}


def test_a_new_task_runs_only_what_is_new(project):
    farm = project.config["datasets"]["pets"]
    project.configure(tasks=["pets", "farm"], datasets={"farm": farm})
    jobs = project.dry()
    new = {"dataset", "task", "leaks", "embed_task", "evaluate", "zeroshot"}
    assert {job.rule for job in jobs} == {*new, "report", "configuration"}
    assert {job.wildcards["task"] for job in jobs if job.rule in new} == {"farm"}


def test_new_sounds_reprocess_only_new_shards(project):
    """Three sounds are added to 26 in shards of ten: what is there stays as it is."""
    table, more = project.root / "corpus" / "sounds.csv", project.root / "corpus" / "more.csv"
    table.write_text(table.read_text() + "".join(more.read_text().splitlines(True)[1:]))
    assert "catalogue" in project.rules()
    project.snakemake("catalogue")
    jobs = project.dry()
    patches = [job.wildcards["shard"] for job in jobs if job.rule == "patches"]
    assert patches == ["0003"]
    assert {"tags", "pairs", "train"} <= {job.rule for job in jobs}


def test_a_catalogue_made_again_reruns_no_patches(project):
    project.snakemake("catalogue", "--forcerun", "catalogue")
    assert "patches" not in project.rules()
