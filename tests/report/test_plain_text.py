"""Names of classes are drawn as they are."""

import io
import warnings

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tagalign.report.plain_text import draw_plain_text


@pytest.mark.parametrize("name", ["$", "$a$b$", "a_b^c", r"\frac{", "café", "собака", "$\\alpha"])
def test_any_name_is_drawn(name):
    draw_plain_text()
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(name)
    axes.set_xticks([0], [name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a letter that no font has
        figure.savefig(io.BytesIO())
    assert not axes.title.get_parse_math()
