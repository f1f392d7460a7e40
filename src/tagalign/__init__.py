"""tagalign aligns what people hear with the tags they write."""

__version__ = "0.1.0"
