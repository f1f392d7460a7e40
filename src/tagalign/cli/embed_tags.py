"""Verb `embed-tags`: embed sets of tags with a trained model."""

from pathlib import Path

import click

from tagalign.cli.options import device_option, output_option
from tagalign.errors import InputError


@click.command()
@click.argument("model", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("tag_sets", nargs=-1, required=True, metavar="TAGS...")
@device_option("Where the model runs.")
@output_option("The file to write (HDF5).")
def command(model, tag_sets, device, output):
    """Embed sets of tags with a trained model.

    Each argument TAGS is one set, its tags separated by commas. Tags are cleaned as those of
    the training data were; those outside the model's vocabulary are named and left out.
    Writes one row per set: its tags, and the embedding, in the space to which the model
    aligns sounds.

    \b
    Example:
      tagalign embed-tags models/w2v-128-4h/0.h5 "dog, barking" "rain" -o tags.h5
    """
    import sys

    from tagalign import store
    from tagalign.embedding.tags import known_tags
    from tagalign.model.file import load_model

    loaded = load_model(model, device=device)
    known = []
    for text in tag_sets:
        given = [tag.strip() for tag in text.split(",") if tag.strip()]
        kept, dropped = known_tags(loaded, given)
        for tag in dropped:
            print(f"{tag!r} is not in the vocabulary of {model}", file=sys.stderr)
        if not kept:
            raise InputError(
                f"no tag of {text!r} is in the vocabulary of {model}; choose other tags"
            )
        known.append(kept)
    vectors = loaded.embed_tags(known)
    with store.create(
        output, stage="embed-tags", config={}, inputs={"model": model}, packages=("torch",)
    ) as file:
        store.write_ragged(file, "tags", known)
        file["embedding"] = vectors
