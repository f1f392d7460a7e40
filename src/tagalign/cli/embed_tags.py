"""Verb `embed-tags`: embed sets of tags with a trained model."""

from pathlib import Path

import click

from tagalign.cli.options import device_option, output_option


@click.command()
@click.argument("model", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("tag_sets", nargs=-1, required=True, metavar="TAGS...")
@click.option(
    "--attention",
    is_flag=True,
    help="Also write what each head of the tag encoder attends to: weights from tag to tag.",
)
@device_option("Where the model runs.")
@output_option("The file to write (HDF5).")
def command(
    model: Path, tag_sets: tuple[str, ...], attention: bool, device: str, output: Path
) -> None:
    """Embed sets of tags with a trained model.

    Each argument TAGS is one set, its tags separated by commas. Tags are cleaned as those of
    the training data were; those outside the model's vocabulary are named, with the nearest
    that are in it, and left out. Writes one row per set: its tags, and their aligned embedding
    phi_w, to be compared with that of sounds (`embed --aligned`).

    \b
    Examples:
      tagalign embed-tags models/w2v-128-4h/0.h5 "dog, barking" "rain" -o tags.h5
      tagalign embed-tags models/w2v-128-4h/0.h5 "dog, barking" --attention -o tags.h5
    """
    from tagalign.embedding.embedder import load
    from tagalign.embedding.file import TagEmbeddings
    from tagalign.embedding.tags import read_tags

    embedder = load(model, device)
    sets = [read_tags(embedder.model, text) for text in tag_sets]
    for note in [note for tags, notes in sets for note in notes]:
        click.echo(f"embed-tags: {note}", err=True)
    tags = [tags for tags, _ in sets]
    vectors = embedder.embed_tags(tags)
    TagEmbeddings(
        space=vectors.space,
        system=embedder.model.system.name,
        model=embedder.digest,
        tags=tags,
        aligned_embedding=vectors,
        attention=embedder.model.attention(tags) if attention else None,
    ).write(output, inputs={"model": model}, packages=["torch"])
    click.echo(f"aligned embeddings (phi_w) of {len(tags)} sets of tags in {output}")
