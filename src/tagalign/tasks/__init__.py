"""The evaluation tasks, each a module of this package with a tuple ``TASKS``.

A task is imported when it is asked for, so that the code of one is no input of another.
"""

import importlib

from tagalign.tasks.protocol import Task

MODULES = {
    "us8k": "us8k",
    "us8k-tag": "us8k_tag",
    "gtzan": "gtzan",
    "nsynth": "nsynth",
    "esc10": "esc",
    "esc50": "esc",
}
"""Name of a task -> its module, in the order of tables."""


def find_task(name: str) -> Task:
    """The task of that name; another name is that of a data set of the user's own.

    Whether the configuration describes such a set is checked when it is read.
    """
    module = importlib.import_module(f"tagalign.tasks.{MODULES.get(name, 'own')}")
    if name not in MODULES:
        return module.own_task(name)
    return next(task for task in module.TASKS if task.name == name)
