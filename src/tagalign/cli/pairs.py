"""Verb `pairs`: join patches and tags into the training file."""

import click

from tagalign.cli.options import config_options, output_option


@click.command("pairs")
@click.argument("tags", type=click.Path(dir_okay=False))
@click.argument("patches", nargs=-1, required=True, type=click.Path(dir_okay=False))
@config_options("pairs")
@output_option("HDF5 file.")
def command(tags, patches, sections, output):
    """Join TAGS (stage `tags`) and all shards of PATCHES into the training file.

    Patches are scaled to [0, 1] with the statistics of the training sounds and stored as 16-bit
    floats. The validation sounds are chosen by seed so that each tag keeps its share, or taken
    from a list of ids. Sounds with a patch but no tags, or the reverse, are listed with the reason.

    Patches are streamed: memory does not grow with their number.

    \b
    Example: tagalign pairs tags.h5 patches/*.h5 -o pairs.h5
    """
    from tagalign import store
    from tagalign.pairs.build import (
        choose_validation,
        match,
        read_shards,
        read_tags,
        write_pairs,
    )

    settings = sections["pairs"]
    tag_table, shards = read_tags(tags), read_shards(patches)
    ids, failures = match(tag_table, shards)
    validation = choose_validation(ids, tag_table, settings)
    inputs = {f"patches/{number:04}": path for number, path in enumerate(shards.paths)}
    if settings["validation_ids"]:
        inputs["validation_ids"] = settings["validation_ids"]
    with store.create(
        output,
        stage="pairs",
        config=sections,
        inputs=inputs | {"tags": tags},
        seed=settings["seed"],
    ) as file:
        write_pairs(file, tag_table, shards, ids, validation, settings)
        store.write_failures(file, failures)
    click.echo(
        f"{int((~validation).sum())} training and {int(validation.sum())} validation pairs;"
        f" {len(failures)} sounds in only one of tags and patches",
        err=True,
    )
