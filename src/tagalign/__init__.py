"""tagalign aligns what people hear with the tags they write.

>>> import tagalign
>>> model = tagalign.load("model.h5")
>>> model.embed("dog.wav").shape
(1152,)

What is listed in ``__all__`` is the public interface; it is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tagalign.embedding.embedder import Embedder, load
    from tagalign.embedding.file import read_embeddings
    from tagalign.embedding.index import read_index
    from tagalign.embedding.spaces import Embeddings
    from tagalign.errors import TagalignError

__version__ = "0.1.0"
__all__ = ["Embedder", "Embeddings", "TagalignError", "load", "read_embeddings", "read_index"]

_MODULES = {
    "Embedder": "embedding.embedder",
    "Embeddings": "embedding.spaces",
    "TagalignError": "errors",
    "load": "embedding.embedder",
    "read_embeddings": "embedding.file",
    "read_index": "embedding.index",
}


def __getattr__(name: str):
    if name in _MODULES:
        return getattr(import_module(f"tagalign.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'tagalign' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
