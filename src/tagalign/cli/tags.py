"""Verb `tags`: clean the tags of a catalogue and build the vocabulary."""

import click

from tagalign.cli.options import config_options, output_option


@click.command("tags")
@click.argument("catalogue", type=click.Path(dir_okay=False))
@config_options("tags")
@output_option("HDF5 file.")
def command(catalogue, sections, output):
    """Clean the tags of CATALOGUE and build the vocabulary.

    Tags become lower case and singular; stop words, tags in too many or too few sounds and all but
    the most frequent are dropped. Sounds left without a tag are listed with that reason.

    The output holds the vocabulary with its counts, the tags of each sound as indices into it, and
    every dropped tag with its reason.

    \b
    Example: tagalign tags catalogue.h5 -o tags.h5
    """
    from tagalign import store
    from tagalign.tags.lemma import PACKAGES
    from tagalign.tags.vocabulary import build_vocabulary

    with store.read(catalogue, stage="catalogue") as file:
        ids = store.read_strings(file["id"])
        tags = store.read_ragged(file["tags"])
    vocabulary = build_vocabulary(tags, sections["tags"])
    kept = [position for position, row in enumerate(vocabulary.rows) if row]
    failures = [
        (identifier, "no tag of the vocabulary" if given else "no tags")
        for identifier, given, row in zip(ids, tags, vocabulary.rows, strict=True)
        if not row
    ]
    with store.create(
        output,
        stage="tags",
        config=sections,
        inputs={"catalogue": catalogue},
        packages=PACKAGES[sections["tags"]["lemmatizer"]],
    ) as file:
        store.write_strings(file, "id", [ids[position] for position in kept])
        store.write_ragged(file, "tags", [vocabulary.rows[position] for position in kept], "int32")
        store.write_strings(file, "vocabulary", vocabulary.words)
        file.create_dataset("counts", data=vocabulary.counts, dtype="int32")
        dropped = file.create_group("dropped")
        store.write_strings(dropped, "tag", [tag for tag, _, _ in vocabulary.dropped])
        store.write_strings(dropped, "reason", [reason for _, reason, _ in vocabulary.dropped])
        dropped.create_dataset("count", data=[n for _, _, n in vocabulary.dropped], dtype="int32")
        store.write_failures(file, failures)
    click.echo(
        f"{len(vocabulary.words)} tags in {len(kept)} sounds; {len(failures)} sounds left without"
        f" tags; {len(vocabulary.dropped)} tags dropped",
        err=True,
    )
