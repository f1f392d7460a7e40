"""Tables of text for a terminal."""

from collections.abc import Iterator, Sequence


def aligned_rows(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines in which the columns stand below each other.

    Examples
    --------
    >>> print(*aligned_rows([("", "score"), ("10", "0.5")]), sep="\\n")
        score
    10  0.5
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
