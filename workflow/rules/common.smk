# The checked configuration, and what the rules share: paths, parameters, code, commands.
import json
import os
import shlex
import shutil
import sys
import time
from pathlib import Path

import yaml

from tagalign.config import load as configuration
from tagalign.config.values import typed
from tagalign import store
from tagalign.planning import estimate
from tagalign.errors import TagalignError
from tagalign.model.systems import find_system
from tagalign.planning.code import PACKAGE, code_files
from tagalign.tasks import find_task


def checked(function, *arguments):
    """Call a function of the package; what the user gave wrongly ends the run in one line."""
    try:
        return function(*arguments)
    except TagalignError as error:
        raise SystemExit(f"tagalign: {error}") from None


def settings_of_run():
    """The configuration, checked and with its defaults."""
    given = config
    if workflow.modifier.parent_modifier is None:  # else these are keys of another workflow
        given = configuration.merge(config, typed(workflow.config_settings.config or {}))
    where = ", ".join(map(str, workflow.configfiles)) or "the configuration"
    return configuration.resolve(given, where)


settings = checked(settings_of_run)
SOURCE = settings["source"]["kind"]
KEEP_AUDIO = settings["source"]["freesound"]["keep_audio"]
DATA = f"data/{configuration.data_name(settings)}"
RESULTS = f"results/{settings['run']}"
LOGS = f"{RESULTS}/logs"
SEEDS = settings["seeds"]
TASKS = settings["tasks"]
FROM_TAGS = {task for task in TASKS if checked(find_task, task).from_tags}
TRAINED = [checked(find_system, name) for name in settings["systems"] if name != "mfcc"]
WIDTHS = sorted({system.width for system in TRAINED if system.width})
OTHER_SOURCES = {"folder", "freesound", "coala"} - {SOURCE}
STARTED = time.time()
DEVICE = settings["compute"]["device"]
# A job that may use a GPU asks for one; a profile says how many there are.
GPUS = 0 if DEVICE == "cpu" else 1

# The Python that runs Snakemake, so that no environment need be active. With --sdm conda it is
# that of the job's own environment, which has all but this package.
TAGALIGN = f"{shlex.quote(sys.executable)} -P -m tagalign"
if workflow.deployment_settings.deployment_method:
    TAGALIGN = f"PYTHONPATH={shlex.quote(str(PACKAGE.parent))} python -P -m tagalign"

# The end of a command: into the log and on the screen. tee outlives a signal, so that the log has
# what a stage says when it is stopped. The log's directory is made here for those who run a printed
# command by hand; Snakemake has made it.
TEE = """ 2>&1 | (trap '' TERM INT; mkdir -p "$(dirname {log:q})"; exec tee {log:q})"""


wildcard_constraints:
    shard=r"\d+",
    dimension=r"\d+",
    seed=r"\d+",
    system=r"[A-Za-z0-9-]+",
    task=r"[a-z0-9-]+",


def sections(*names, without=()):
    """The sections that a stage reads as JSON, less what cannot change its result.

    A key in `without` goes from all of them, one like "pairs.seed" from that section.
    """
    picked = configuration.without_places(configuration.sections(settings, *names))
    for name, section in picked.items():
        for key in without:
            section.pop(key.removeprefix(f"{name}."), None)
    return json.dumps(picked, sort_keys=True)


def places(*names):
    """The rest of these sections: paths, rates and hardware. Never a parameter of a rule."""
    picked = configuration.sections(settings, *names)
    return json.dumps(configuration.only_places(picked), sort_keys=True)


def contents(*paths):
    """Hashes of files that the configuration names: their content matters, not their place."""
    return [checked(content, path) for path in filter(None, paths)]


def named_files(name):
    """Files (not directories) that a section of the configuration names."""
    values = json.loads(places(name)).get(name, {}).values()
    paths = [path for path in values if isinstance(path, str) and "://" not in path]
    return [path for path in paths if not Path(path).is_dir()]


def content(path):
    try:
        return store.digest(path)
    except OSError as error:
        raise TagalignError(f"cannot read {path}, named in the configuration: {error.strerror}")


def code(verb):
    """Source files of a stage, relative to the working directory where they lie below it."""
    return [os.path.relpath(path) if inside(path) else str(path) for path in code_files(verb)]


def inside(path):
    return Path(path).is_relative_to(Path.cwd())


def unrecorded(value):
    """A parameter that reruns nothing when it changes.

    Snakemake does not compare parameters that are derived from the names of outputs; places,
    devices and interpreters cannot change a result and are given in this way.
    """
    return lambda wildcards, output: value


def repeated(option, paths):
    """An option once for each path; a single one comes from Snakemake as a plain string."""
    return [f"{option} {path}" for path in ([paths] if isinstance(paths, str) else paths)]


def growing(amount):
    """A resource that grows with each attempt."""
    return lambda wildcards, attempt: amount * attempt
