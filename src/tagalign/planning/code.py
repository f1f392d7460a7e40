"""The source files on which a stage's result depends.

They are found by reading import statements, also those inside functions, without running
anything. A workflow names them as inputs of the stage, so that editing one reruns it.
"""

import ast
import functools
from collections.abc import Collection, Iterable
from pathlib import Path

from tagalign.errors import InputError
from tagalign.sources import find_source
from tagalign.tasks import find_task

PACKAGE = Path(__file__).parents[1]

STAGES = {
    "catalogue": ("sources.shards",),
    "audio": ("freesound.audio",),
    "attribution": ("sources.attribution",),
    "coala": ("sources.coala",),
    "patches": ("audio.patches",),
    "tags": ("tags.build",),
    "word2vec": ("tags.word2vec",),
    "pairs": ("pairs.build",),
    "train": ("train.stage",),
    "figures": ("report.training",),
    "dataset": ("tasks.dataset",),
    "task": ("tasks.build", "tasks.dataset"),
    "leaks": ("evaluate.leaks",),
    "embed_task": ("embedding.clips",),
    "evaluate": ("evaluate.stage", "model.device"),
    "retrieve": ("evaluate.retrieve",),
    "zeroshot": ("evaluate.zeroshot",),
    "report": ("report.write",),
}
"""Stage -> modules that do its work."""

TASK_STAGES = ("dataset", "task")
"""Stages of which a kind is a task; its module is added. Of `catalogue` it is a source."""

# Nothing that is computed passes through these. What the configuration becomes is a parameter of
# each rule and compared as such; of the tasks, a stage names the one that it reads.
WITHOUT_EFFECT = {
    "tagalign",
    "tagalign.cli",
    "tagalign.cli.options",
    "tagalign.config",
    *(f"tagalign.config.{path.stem}" for path in (PACKAGE / "config").glob("*.py")),
    "tagalign.environment",
    "tagalign.errors",
    "tagalign.progress",
    "tagalign.sources",
    "tagalign.tasks",
}


def code_files(stage: str, kind: str | None = None) -> list[Path]:
    """Source and resource files on which the result of a stage depends.

    Parameters
    ----------
    stage
        A stage, such as ``"embed_task"``.
    kind
        The kind of source, or the task, where a stage has a module for each.

    Returns
    -------
    list of Path
        Absolute paths, sorted: the stage's modules in `STAGES`, what these import, and files in
        ``resources`` whose name stands in one of them.

    Raises
    ------
    InputError
        There is no such stage.
    """
    if stage not in STAGES:
        raise InputError(f"there is no stage {stage!r}; stages: {', '.join(STAGES)}")
    waiting = [f"tagalign.{name}" for name in STAGES[stage]]
    if kind is not None and stage == "catalogue":
        waiting.append(f"tagalign.sources.{find_source(kind).module}")
    if kind is not None and stage in TASK_STAGES:
        read = find_task(kind).read
        waiting.append(getattr(read, "func", read).__module__)  # it may be a partial
    found = closure(waiting, WITHOUT_EFFECT)
    files = {_find(module) for module in found}
    for module in found:
        files |= _scan(module)[1]
    return sorted(files)


def closure(modules: Iterable[str], without: Collection[str] = ()) -> set[str]:
    """The modules and all of this package that they import, directly or through others.

    Those in `without` are left out, with what only they import.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found and module not in without:
            found.add(module)
            waiting.extend(_scan(module)[0])
    return found


def _find(module: str) -> Path | None:
    """File of a module of this package, or None if there is no such module."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@functools.cache
def _resources() -> dict[str, Path]:
    """Name -> path of each resource file; names that occur twice get their directory too."""
    root = PACKAGE / "resources"
    return {
        str(path.relative_to(directory)): path
        for path in sorted(root.rglob("*"))
        if path.is_file()
        for directory in {root, path.parent}
    }


@functools.cache
def _scan(module: str) -> tuple[frozenset[str], frozenset[Path]]:
    """Modules of this package that a module imports, and the resources that it names."""
    path = _find(module)
    modules: set[str] = set()
    resources: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module if path.name == "__init__.py" else module.rpartition(".")[0]
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            # `from package import name`: the name may be a module or something in the package.
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                resource = _resources().get(node.value)
                resources |= {resource} if resource else set()
            continue
        for name in names:
            if name.split(".")[0] == "tagalign":
                parts = name.split(".")
                # Importing a module runs the packages above it as well.
                above = (".".join(parts[: length + 1]) for length in range(len(parts)))
                modules.update(part for part in above if _find(part))
    return frozenset(modules), frozenset(resources)
