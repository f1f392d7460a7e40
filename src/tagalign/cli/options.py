"""Command line options that several stages share."""

import functools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from tagalign.config import load as configuration
from tagalign.errors import ConfigError, plain

Command = Callable[..., None]
Decorator = Callable[[Command], Command]

FILE = click.Path(dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def note(line: str) -> None:
    """Tell the user something beside the output of a command."""
    click.echo(f"tagalign: {plain(line)}", err=True)


def output_option(help_text: str) -> Decorator:
    """Add ``-o``/``--output``, the file that a command writes, as a Path."""
    return click.option("-o", "--output", required=True, type=FILE, help=help_text)


def device_option(help_text: str) -> Decorator:
    """Add ``--device``: auto, cpu or cuda."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help=help_text,
    )


sounds_argument = click.argument(
    "sounds", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOUND..."
)

audio_option = click.option(
    "--audio",
    type=DIRECTORY,
    help="Directory to which the paths in a list of sounds are relative; by default its own.",
)

jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=cores,
    help="Processes that decode; all cores if left out. The result does not depend on it.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def number_option(help_text: str) -> Decorator:
    """Add ``-k``/``--number``, how many results to show."""
    return click.option(
        "-k",
        "--number",
        type=click.IntRange(min=1),
        default=10,
        show_default=True,
        help=help_text,
    )


def config_options(*names: str, optional: bool = False) -> Decorator:
    """Add ``--config`` and ``--params`` and pass the stage its sections as ``sections``.

    `names` are the sections that the stage reads. A name may hold fields in braces that are
    filled from other options of the command: ``"datasets.{task}"``. If `optional`, the stage
    gets None where neither option is given, else the defaults.
    """

    def decorate(function: Command) -> Command:
        listed = ", ".join(names)

        @click.option(
            "--config",
            "config_path",
            type=click.Path(dir_okay=False),
            help=f"Configuration file; this stage reads its sections {listed}.",
        )
        @click.option(
            "--params",
            metavar="JSON",
            multiple=True,
            help="The same sections as JSON, instead of --config; see `tagalign --help`.",
        )
        @functools.wraps(function)
        def wrapper(
            *args: object, config_path: str | None, params: tuple[str, ...], **options: object
        ) -> None:
            filled = [name.format(**options) for name in names]
            asked = config_path or params or not optional
            sections = _read(config_path, params, filled) if asked else None
            function(*args, sections=sections, **options)

        return wrapper

    return decorate


def _read(config_path: str | None, params: Sequence[str], names: Sequence[str]) -> dict:
    if config_path and params:
        raise click.UsageError("give --config or --params, not both")
    if config_path:
        return configuration.sections(configuration.load(config_path), *names)
    picked: dict = {}
    for text in params:
        try:
            given = json.loads(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"--params is not valid JSON: {error}; its text: {text}") from None
        except (ValueError, RecursionError) as error:  # a number of 5,000 digits, deep nesting
            raise ConfigError(f"--params is not usable JSON: {error}") from None
        if not isinstance(given, dict):
            raise ConfigError(
                f"--params must be a JSON object that maps sections to their keys, not {text}"
            )
        picked = configuration.merge(picked, given)
    return configuration.resolve_sections(picked, names)
