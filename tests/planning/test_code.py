"""The code of a stage is what can change its result: which module may rerun which stage."""

import re
import subprocess
import sys

import pytest

from tagalign.errors import InputError
from tagalign.planning.code import PACKAGE, STAGES, TASK_STAGES, WITHOUT_EFFECT, code_files
from tagalign.tasks import MODULES
from tiny_project import ROOT

NAMES = list(STAGES)
SOURCES = ("catalogue/folder", "catalogue/freesound")
KINDS = [*SOURCES, *(f"{stage}/{task}" for stage in TASK_STAGES for task in MODULES)]
CASES = [*(set(NAMES) - {"catalogue", *TASK_STAGES}), *KINDS]


def names(case):
    """Files of a stage, or of one kind of it: ``"task/gtzan"``."""
    return {str(path.relative_to(PACKAGE)) for path in code_files(*case.split("/"))}


def stages_of(file) -> set[str]:
    """The stages that rerun when a file is edited."""
    return {case for case in CASES if file in names(case)}


EVERY_TASK = {f"task/{task}" for task in MODULES}
NETWORKS = {"train", "figures", "embed_task", "retrieve", "zeroshot"}

# module -> the stages that may rerun when it is edited, and no others
RERUNS = {
    # Told apart: a plot, another task, help and messages, the estimate, other sources.
    "report/training.py": {"figures"},
    "report/figures.py": {"report"},
    "report/page.py": {"report"},
    "tasks/gtzan.py": {"dataset/gtzan", "task/gtzan"},
    "tasks/nsynth.py": {"dataset/nsynth", "task/nsynth"},
    "tasks/us8k_tag.py": {"dataset/us8k-tag", "task/us8k-tag"},
    "tasks/__init__.py": set(),
    "cli/__init__.py": set(),
    "cli/options.py": set(),
    "cli/train.py": set(),
    "cli/report.py": set(),
    "errors.py": set(),
    "progress.py": set(),
    "config/load.py": set(),
    "planning/estimate.py": set(),
    "planning/layout.py": set(),
    "planning/code.py": set(),
    "provenance/verify.py": set(),
    "sources/coala.py": {"coala"},
    "sources/folder.py": {"catalogue/folder"},
    "sources/freesound.py": {"catalogue/freesound"},
    # True dependencies.
    "audio/patches.py": {"patches"},
    "audio/mfcc.py": EVERY_TASK,
    "audio/mel.py": {"patches", "embed_task", *EVERY_TASK},
    "audio/decode.py": {"audio", "patches", "embed_task", *EVERY_TASK},
    "tags/vocabulary.py": {"tags"},
    "tags/clean.py": {"tags", "embed_task", "zeroshot"},
    "tags/word2vec.py": {"word2vec"},
    "pairs/split.py": {"pairs"},
    "train/loop.py": {"train"},
    "train/step.py": {"train"},
    "train/data.py": {"train", "figures"},
    "model/audio.py": NETWORKS,
    "model/losses.py": {"train"},
    "evaluate/scores.py": {"evaluate", "zeroshot"},
    "evaluate/leaks.py": {"leaks"},
    "report/table.py": {"report"},
    "resources/nltk_data/corpora/wordnet.zip": {"tags", "embed_task", "zeroshot"},
    "resources/gtzan/train_filtered.txt": {"dataset/gtzan", "task/gtzan"},
}


@pytest.mark.parametrize("file", RERUNS)
def test_editing_a_file_reruns_these_stages_and_no_others(file):
    assert (PACKAGE / file).is_file()
    assert stages_of(file) == RERUNS[file]


def test_all_stages_write_through_the_store():
    assert {case for case in CASES if any(name.startswith("store") for name in names(case))} == {
        *CASES
    }


def test_every_rule_with_a_command_names_the_code_of_its_stage():
    found = {}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for text in re.split(r"\n\s*(?:rule|checkpoint) ", path.read_text())[1:]:
            rule = text.partition(":")[0]
            if "{params.tagalign}" in text:
                found[rule] = re.search(r'\bcode\(\s*"([\w-]+)"', text)
    assert {rule: code and code.group(1) for rule, code in found.items()} == {
        rule: rule for rule in found
    }
    assert set(found) == set(NAMES)


def test_unknown_stage():
    with pytest.raises(InputError, match="'toast'"):
        code_files("toast")


@pytest.mark.slow
@pytest.mark.parametrize("case", ["catalogue/folder", "task/gtzan", "pairs", "train", "report"])
def test_every_module_that_importing_the_stage_loads_is_there(case):
    stage = case.partition("/")[0]
    modules = [f"tagalign.{name}" for name in (*STAGES[stage], *STAGES.get(case, ()))]
    script = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    found = {name.removesuffix(".py").removesuffix("/__init__") for name in names(case)}
    expected = {
        name.removeprefix("tagalign.").replace(".", "/")
        for name in loaded
        if name.startswith("tagalign") and name not in WITHOUT_EFFECT
    }
    others = {f"tasks/{path.stem}" for path in (PACKAGE / "tasks").glob("*.py")}
    assert expected - others <= found | others
