# The checked configuration, and what the rules share: files, parameters, commands.
import functools
import json
import os
import shlex
import sys
import time
from pathlib import Path

import yaml

from tagalign.config import load as configuration
from tagalign.config.values import typed
from tagalign.errors import TagalignError
from tagalign.planning import misfits, parameters
from tagalign.planning.clips import task_contents
from tagalign.planning.code import PACKAGE
from tagalign.planning.follow import Repairs
from tagalign.planning.layout import WILDCARDS, Layout
from tagalign.planning.refuse import why_not
from tagalign.planning.rules import code, growing, repeated, unrecorded
from tagalign.planning.sounds import published_contents, sound_contents


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
    settings = configuration.resolve(given, where)
    if workflow.is_main_process:
        misfits.check(settings, where)
    return settings


settings = checked(settings_of_run)
layout = checked(Layout, settings)
repairs = Repairs(layout, look=workflow.is_main_process, write=not workflow.output_settings.dryrun)
sections = functools.partial(parameters.sections, settings)
places = functools.partial(parameters.places, settings)
SOURCE, GIVES = layout.source, layout.gives
LOGS = layout.logs
OTHER_SOURCES = parameters.other_sources(settings)
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
    **WILDCARDS,


def shard_files(stage):
    """The files of a stage for all shards, known once the catalogue is made."""
    layout.catalogue = checkpoints.catalogue.get().output.catalogue
    return layout.files(stage)


def patch_files(wildcards):
    return shard_files("patches")


def audio_files(wildcards):
    return shard_files("audio") if GIVES == "previews" else []


def kept_shards(wildcards):
    if GIVES == "pairs":
        return []
    return patch_files(wildcards) + (audio_files(wildcards) if layout.keeps_audio else [])


def counted_files(wildcards):
    """Files whose sounds that were left out are counted in the report."""
    if GIVES != "pairs":
        layout.catalogue = checkpoints.catalogue.get().output.catalogue
    return layout.counted()


def refuse_what_cannot_end():
    """End a run for which there is no room, or whose jobs would never be submitted."""
    problem = why_not(
        settings,
        layout,
        waiting={job.rule.name for job in workflow.dag.needrun_jobs()},
        arrays=getattr(workflow.executor_settings, "array_jobs", None) or "",
        jobs=min(workflow.nodes or 0, workflow.scheduling_settings.max_jobs_per_timespan.max_jobs),
    )
    if problem and not workflow.touch:
        raise SystemExit(f"tagalign: {problem}")


def refuse_what_does_not_follow():
    """Let no whole run end well with a file that does not follow from its inputs."""
    chosen = workflow.dag_settings
    if not (chosen.targets or chosen.until or chosen.omit_from or workflow.touch):
        for path, problem in repairs.check().items():
            raise SystemExit(f"tagalign: {path} does not follow: {problem}; run snakemake again")


def show_report():
    """Print the table and where the files lie, if this run made them: its last words."""
    text = Path(LOGS, "report.log")
    if text.is_file() and text.stat().st_mtime >= STARTED:
        print(text.read_text())
