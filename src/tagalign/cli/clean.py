"""Verb `clean`: show what becomes of tags."""

import click

from tagalign.cli.options import config_options


@click.command("clean")
@click.argument("tags")
@config_options("tags")
def command(tags: str, sections: dict) -> None:
    """Show what becomes of TAGS, a list separated by commas.

    Each tag is cleaned as the stage `tags` does it, with the reason for every change. Counts over
    a whole collection (too frequent, too rare) are not part of it.

    \b
    Example: tagalign clean "dogs, field-recording, buses"
    """
    from tagalign.errors import InputError
    from tagalign.tags.clean import explain_tags

    given = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if not given:
        raise InputError(f'no tag in {tags!r}; give some, such as "dogs, field-recording"')
    rows = [("tag", "becomes", "why")]
    rows += [
        (outcome.tag, outcome.result or "(dropped)", outcome.reason)
        for outcome in explain_tags(given, sections["tags"])
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for tag, result, reason in rows:
        click.echo(f"{tag:<{widths[0]}}  {result:<{widths[1]}}  {reason}")
