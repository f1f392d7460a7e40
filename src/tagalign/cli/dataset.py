"""Verb `dataset`: download, verify and unpack an evaluation data set."""

from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command()
@click.option("--task", required=True, help="Name of the task, such as us8k.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data/datasets"),
    show_default=True,
    help="Directory for downloads; not used if the configuration names your own copy.",
)
@output_option("The file to write (HDF5): every clip with class, fold and SHA-256.")
@config_options("datasets.{task}")
def command(task: str, data: Path, output: Path, sections: dict) -> None:
    """Download, verify and unpack an evaluation data set.

    Downloads resume where they stopped; checksums are compared with the published ones, or
    with those seen the first time. An archive may be deleted once it is unpacked. A copy that
    you already have (datasets.TASK.path) is used where it is and not changed. Counts, names and
    classes are checked against the published set; wrong, missing or extra files are named.

    \b
    Examples:
      tagalign dataset --task us8k -o us8k.h5
      tagalign dataset --task us8k --params '{"datasets.us8k": {"path": "/sets/UrbanSound8K"}}' \\
          -o us8k.h5
    """
    import sys

    from tagalign.tasks.dataset import run

    listing = run(task, sections, output, downloads=data)
    for name in listing.extra:
        print(f"{task}: {name} is not part of the set; it is not used", file=sys.stderr)
    print(f"{task}: {len(listing.clips)} clips, {len(listing.classes)} classes")
