"""The source files on which a stage's result depends.

They are found by reading import statements, also those inside functions, without running
anything. A workflow names them as inputs of the stage, so that editing one reruns it.
"""

import ast
import functools
from pathlib import Path

from tagalign.errors import InputError

PACKAGE = Path(__file__).parents[1]

# These show messages and list the verbs; nothing that is computed passes through them.
WITHOUT_EFFECT = {"tagalign", "tagalign.cli", "tagalign.errors", "tagalign.progress"}


def code_files(verb: str) -> list[Path]:
    """Source and resource files of the verb's module and of all that it imports.

    Parameters
    ----------
    verb
        A verb of the command line, such as ``"embed-task"``.

    Returns
    -------
    list of Path
        Absolute paths, sorted: modules of this package, and files in its ``resources`` whose
        name stands in one of them.

    Raises
    ------
    InputError
        There is no such verb.
    """
    start = f"tagalign.cli.{verb.replace('-', '_')}"
    if _find(start) is None:
        raise InputError(f"there is no verb {verb!r}; `tagalign --help` lists them")
    found, waiting = set(), [start]
    while waiting:
        module = waiting.pop()
        if module not in found | WITHOUT_EFFECT:
            found.add(module)
            waiting.extend(_scan(module)[0])
    files = {_find(module) for module in found}
    for module in found:
        files |= _scan(module)[1]
    return sorted(files)


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
    modules, resources = set(), set()
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
