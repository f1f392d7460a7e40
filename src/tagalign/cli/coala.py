"""`tagalign coala`: make training pairs of the authors' published files."""

from pathlib import Path

import click

from tagalign.cli.options import config_options, output_option


@click.command()
@config_options("source", "patches", "pairs")
@click.option(
    "--directory",
    required=True,
    type=click.Path(file_okay=False),
    help="Where the published files are downloaded to (some 7 GB); what is there is not fetched"
    " again, and a download that was cut off goes on.",
)
@click.option(
    "--tags",
    required=True,
    type=click.Path(dir_okay=False),
    help="File of stage `tags` to write, which `word2vec` reads.",
)
@output_option("The pairs to write.")
def command(sections: dict, directory: str, tags: str, output: Path) -> None:
    """Make training pairs of the authors' published files, without an API key.

    Reads the section `source` (kind `coala`: URLs or paths of the two published HDF5 files) and
    checks that the sections `patches` and `pairs` describe how those files were made, as
    config/reference.yaml does. Takes the place of the stages catalogue, audio, patches, tags
    and pairs. Sounds that occur in the target tasks are left out here as well.

    \b
    Example:
      tagalign coala --config config/coala.yaml --directory data/coala --tags tags.h5 -o pairs.h5
    """
    from tagalign.sources.coala import run

    run(output, tags, sections, directory)
