"""Verb `tag`: the tags that come nearest to a sound."""

import json
from pathlib import Path

import click

from tagalign.cli.options import device_option, json_option, note, number_option
from tagalign.cli.text import aligned_rows


@click.command("tag")
@click.argument("model", type=click.Path(dir_okay=False, path_type=Path))
@click.argument(
    "sounds", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOUND..."
)
@number_option("Tags to show.")
@device_option("Where the model runs.")
@json_option
def command(model: Path, sounds: tuple[Path, ...], number: int, device: str, as_json: bool) -> None:
    """Print the tags that come nearest to each SOUND.

    The tags of the model's vocabulary in the order of the cosine of their aligned embedding
    (phi_w) with that of the sound (phi_a).

    \b
    Example:
      tagalign tag models/w2v-128-4h/0.h5 dog.wav
    """
    from tagalign.embedding.embedder import load
    from tagalign.embedding.listing import find_sounds

    embedder = load(model, device)
    found = {
        sound.id: embedder.nearest_tags(sound.path, number)
        for sound in find_sounds(sounds, say=note)
    }
    if as_json:
        values = {
            name: [{"tag": tag, "score": score} for tag, score in tags]
            for name, tags in found.items()
        }
        click.echo(json.dumps(values, indent=1, ensure_ascii=False))
        return
    for name, tags in found.items():
        if len(found) > 1:
            click.echo(name)
        rows = [(f"{score:.3f}", tag) for tag, score in tags]
        click.echo("\n".join(aligned_rows(rows)))
