"""Ids of sounds that must never enter a run."""

import json
from collections.abc import Mapping
from pathlib import Path

from tagalign.sources.id_list import read_ids
from tagalign.sources.identity import canonical

TARGET_TASKS = Path(__file__).parents[1] / "resources" / "reference" / "target_task_ids.json"


def excluded_ids(source: Mapping) -> dict[str, str]:
    """The ids that the section `source` excludes, with the reason.

    Parameters
    ----------
    source
        The section `source`: `exclude_target_tasks` and `exclude` are read.

    Returns
    -------
    dict
        Id (see `identity.canonical`) -> reason, for the catalogue's table of failures.

    Raises
    ------
    InputError
        A file of `exclude` is missing or is not a JSON list.
    """
    reasons: dict[str, str] = {}
    if source["exclude_target_tasks"]:
        listed = json.loads(TARGET_TASKS.read_text())
        reasons |= dict.fromkeys(
            map(str, listed), "occurs in a target task (source.exclude_target_tasks)"
        )
    for path in source["exclude"]:
        ids = map(canonical, read_ids(path, "source.exclude"))
        reasons |= dict.fromkeys(ids, f"listed in {Path(path).name} (source.exclude)")
    return reasons
