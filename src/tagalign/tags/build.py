"""Stage `tags`: clean the tags of a catalogue and build the vocabulary."""

import os
from collections.abc import Mapping

from tagalign.sources.catalogue import Catalogue
from tagalign.tags.file import TagSets
from tagalign.tags.lemma import PACKAGES
from tagalign.tags.vocabulary import build_vocabulary


def run(output: str | os.PathLike, catalogue: str | os.PathLike, sections: Mapping) -> TagSets:
    """Write the tag sets of the sounds of a catalogue.

    Parameters
    ----------
    output
        The file to write.
    catalogue
        File of stage ``catalogue``.
    sections
        Holds the resolved section ``tags``.

    Returns
    -------
    TagSets
        What was written.

    Raises
    ------
    InputError
        As `tagalign.tags.vocabulary.build_vocabulary`.
    """
    ids, tags, groups = Catalogue.read_fields(catalogue, "id", "tags", "group")
    vocabulary = build_vocabulary(tags, sections["tags"])
    kept = [position for position, row in enumerate(vocabulary.rows) if row]
    made = TagSets(
        config=sections,
        id=[ids[position] for position in kept],
        tags=[vocabulary.rows[position] for position in kept],
        group=None if groups is None else [groups[position] for position in kept],
        vocabulary=vocabulary.words,
        counts=vocabulary.counts,
        dropped_tag=[tag for tag, _, _ in vocabulary.dropped],
        dropped_reason=[reason for _, reason, _ in vocabulary.dropped],
        dropped_count=[count for _, _, count in vocabulary.dropped],
        failed=[
            (identifier, "no tag of the vocabulary" if given else "no tags")
            for identifier, given, row in zip(ids, tags, vocabulary.rows, strict=True)
            if not row
        ],
    )
    made.write(
        output,
        inputs={"catalogue": catalogue},
        packages=PACKAGES[sections["tags"]["lemmatizer"]],
    )
    return made
