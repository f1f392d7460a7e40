"""The evaluation tasks. A new one is a module with a `Task`, an entry in `TASKS`, and its
section in ``tagalign/config/schemas/datasets.schema.yaml``."""

from tagalign.tasks import esc, gtzan, nsynth, us8k, us8k_tag
from tagalign.tasks.own import own_task
from tagalign.tasks.protocol import Task

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        us8k.US8K,
        us8k_tag.US8K_TAG,
        gtzan.GTZAN,
        nsynth.NSYNTH,
        esc.ESC10,
        esc.ESC50,
    )
}


def find_task(name: str) -> Task:
    """The task of that name; another name is that of a data set of the user's own.

    Whether the configuration describes such a set is checked when it is read.
    """
    return TASKS.get(name) or own_task(name)
