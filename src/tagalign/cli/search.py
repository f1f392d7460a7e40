"""Verb `search`: find sounds of an index by tags or by a sound."""

import json
from pathlib import Path

import click

from tagalign.cli.options import FILE, json_option, number_option
from tagalign.cli.text import aligned_rows


@click.command()
@click.argument("index", type=FILE)
@click.argument("tags", required=False)
@click.option("--like", type=FILE, metavar="SOUND", help="Search by a sound in place of tags.")
@number_option("Sounds to show.")
@json_option
def command(index: Path, tags: str | None, like: Path | None, number: int, as_json: bool) -> None:
    """Find the sounds of an INDEX that come nearest to TAGS, or to a sound.

    TAGS are separated by commas. Prints the sounds in the order of the cosine of their
    embedding with that of the tags (or of the sound), with author and licence where the index
    knows them.

    \b
    Examples:
      tagalign search index.h5 "thunder, rain"
      tagalign search index.h5 --like dog.wav --json
    """
    from tagalign.embedding.index import read_index
    from tagalign.embedding.listing import DETAILS
    from tagalign.embedding.tags import read_tags

    if (tags is None) == (like is None):
        raise click.UsageError("give either TAGS or --like SOUND")
    opened = read_index(index)
    if tags is not None:
        for note in read_tags(opened.embedder.model, tags).notes:
            click.echo(f"search: {note}", err=True)
        hits = opened.search(tags, number)
    elif like is not None:
        hits = opened.like(like, number)
    if as_json:
        found = [{"id": hit.id, "score": hit.score, **hit.details} for hit in hits]
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    columns = [name for name in DETAILS if any(name in hit.details for hit in hits)]
    rows = [("", "score", "id", *columns)]
    rows += [
        (str(rank), f"{hit.score:.3f}", hit.id, *(hit.details.get(name, "") for name in columns))
        for rank, hit in enumerate(hits, 1)
    ]
    click.echo("\n".join(aligned_rows(rows)))
