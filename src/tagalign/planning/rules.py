"""Values of a rule's fields in the form in which Snakemake takes them.

Snakemake calls a function by the names of its arguments, which are therefore not ours to choose.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tagalign.planning.code import code_files


def code(stage: str, kind: str | None = None) -> list[str]:
    """Source files of a stage, relative to the working directory where they lie below it.

    The arguments are those of `tagalign.planning.code.code_files`.
    """
    here = Path.cwd()
    return [
        os.path.relpath(path) if path.is_relative_to(here) else str(path)
        for path in code_files(stage, kind)
    ]


def growing(amount: int) -> Callable:
    """A resource that grows with each attempt."""
    return lambda wildcards, attempt: amount * attempt


def unrecorded(value: object) -> Callable:
    """A parameter that reruns nothing when it changes.

    Snakemake does not compare parameters that are derived from the names of outputs; places,
    devices and interpreters cannot change a result and are given in this way.
    """
    return lambda wildcards, output: value


def repeated(option: str, paths: str | Sequence[str]) -> list[str]:
    """An option once for each path; a single one comes from Snakemake as a plain string."""
    return [f"{option} {path}" for path in ([paths] if isinstance(paths, str) else paths)]
