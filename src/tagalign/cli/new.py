"""Verb `new`: write a configuration for a folder of sounds."""

from pathlib import Path

import click

from tagalign.cli.options import FILE


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--csv",
    "table",
    type=FILE,
    help="CSV with the tags of the sounds: a row per sound, with columns such as file and tags."
    " Without it, the words in the names of directories and files are the tags.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="The configuration to write; by default FOLDER's name with .yaml, in this directory.",
)
def command(folder: Path, table: Path | None, output: Path | None) -> None:
    """Write a configuration for a folder of sounds.

    Looks for sounds in FOLDER and below and writes a configuration with sizes that fit what is
    there, and without --csv a list of the sounds beside it. Both are yours to change. Prints the
    command to run next.

    \b
    Examples:
      tagalign new my-sounds
      tagalign new my-sounds --csv my-sounds/tags.csv -o mine.yaml
    """
    from tagalign.planning.new import run_name, write_new

    name = run_name(folder.resolve().name)
    made = write_new(folder, output or Path(f"{name}.yaml"), table)
    click.echo(
        f"{made.sounds} sounds, {made.tagged} of them with one of {made.tags} different tags"
    )
    if made.left_out:
        click.echo(
            f"{made.left_out} more are sounds of the paper's target tasks and left out; set"
            " source.exclude_target_tasks to false to keep them"
        )
    click.echo(f"sounds and tags: {made.table}")
    click.echo(f"configuration:   {made.config}")
    click.echo(f"\nNext: snakemake --configfile {made.config}")
