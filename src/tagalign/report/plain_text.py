"""Names that users chose are drawn as they are: ``$``, ``^`` and ``_`` mean nothing, and a font
with the letters of their script is taken where one is installed."""

import matplotlib
from matplotlib import font_manager

SCRIPTS = (
    "DejaVu Sans",
    "Noto Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "IPAGothic",
    "Hiragino Sans",
    "Yu Gothic",
    "Microsoft YaHei",
    "Arial Unicode MS",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Emoji",
)


def draw_plain_text() -> None:
    """Set this for all figures of the process."""
    installed = set(font_manager.get_font_names())
    fonts = [name for name in SCRIPTS if name in installed]
    matplotlib.rcParams.update({"text.parse_math": False, "font.family": fonts or ["sans-serif"]})
