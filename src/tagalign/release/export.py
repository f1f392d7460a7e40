"""Write a model in formats that other software reads: ONNX and safetensors, with a model card."""

import contextlib
import functools
import io
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tagalign import store
from tagalign.embedding.embedder import Embedder, load
from tagalign.errors import TagalignError
from tagalign.provenance.card import markdown_card, model_facts
from tagalign.release.graph import AudioGraph, TagGraph

FORMATS = ("onnx", "safetensors")
TOLERANCE = 1e-4  # between onnxruntime and PyTorch, on layer-normalised values of size 1
LENGTHS = (0.5, 1.0, 2.3, 7.0)  # of the sounds that are compared, in patches


def export_model(path: str | os.PathLike, output: str | os.PathLike, kind: str) -> list[Path]:
    """Write a model into a directory, with a card.

    Parameters
    ----------
    path
        The model file.
    output
        The directory; made if need be. Files of these names in it are replaced.
    kind : {"onnx", "safetensors"}
        ``onnx`` writes ``audio.onnx`` (samples to embeddings, front end included) and
        ``tags.onnx`` (tag indices to aligned embeddings), as far as the model has them, and
        compares both with PyTorch. ``safetensors`` writes all weights and statistics.

    Returns
    -------
    list of Path
        What was written: also ``vocabulary.json``, and the card as ``README.md`` and
        ``card.json``.

    Raises
    ------
    InputError
        The file is missing or is not a model file.
    TagalignError
        The packages for this format are not installed, or onnxruntime computes otherwise than
        PyTorch.
    """
    embedder, facts, output = load(path), model_facts(path), Path(output)
    try:
        files, example = _WRITERS[kind](embedder, output)
    except ImportError as error:
        raise TagalignError(
            f"--format {kind} needs the package {error.name}; pip install 'tagalign[export]'"
        ) from None
    files["vocabulary.json"] = "the tags in the order of their indices"
    files["card.json"] = "this card as data"
    _write_text(output / "vocabulary.json", json.dumps(embedder.model.vocabulary, indent=0))
    _write_text(output / "card.json", json.dumps(facts, indent=1, ensure_ascii=False))
    _write_text(output / "README.md", markdown_card(facts, files, example))
    return [output / name for name in (*files, "README.md")]


def _write_onnx(embedder: Embedder, output: Path) -> tuple[dict[str, str], str]:
    import onnxruntime  # noqa: F401 - so that its lack is noticed before the work
    import onnxscript  # noqa: F401

    files, lines = {}, ["import json", "import numpy as np", "import onnxruntime", ""]
    model = embedder.model
    if model.network.audio_encoder is not None:
        names = ["patches", "embedding"]
        if model.network.projection is not None:
            names.append("aligned_embedding")
        rate = model.front_end["sample_rate"]
        _convert(
            AudioGraph(model, embedder.clips),
            torch.zeros(3 * rate),
            output / "audio.onnx",
            {"signal": names},
            {0: torch.export.Dim("samples", min=2 * model.front_end["n_fft"])},
            functools.partial(_compare_audio, embedder),
        )
        seconds = embedder.clips["pad_to_seconds"]
        first = (
            f"; pad sounds to {seconds:g} s first, as tagalign.audio.padding.pad_short does"
            if seconds
            else ""
        )
        files["audio.onnx"] = (
            f"mono samples at {rate} Hz, float32 [samples]{first} -> embeddings (z_a) of the"
            f" patches and their mean: {', '.join(names)}"
        )
        lines += [
            'audio = onnxruntime.InferenceSession("audio.onnx")',
            f"samples = np.zeros(3 * {rate}, np.float32)  # mono, {rate} Hz",
            f'{", ".join(names)} = audio.run(None, {{"signal": samples}})',
        ]
    if model.network.tag_encoder is not None:
        columns = model.tag_indices([model.vocabulary]).shape[1]
        _convert(
            TagGraph(model),
            torch.zeros((2, columns), dtype=torch.int64),
            output / "tags.onnx",
            {"tags": ["aligned_embedding"]},
            {0: torch.export.Dim("sets", min=1)},
            functools.partial(_compare_tags, embedder, columns),
        )
        size = len(model.vocabulary)
        files["tags.onnx"] = (
            f"indices of tags, int64 [sets, {columns}], filled up with {size} -> aligned"
            " embeddings (phi_w): aligned_embedding"
        )
        lines += [
            'tags = onnxruntime.InferenceSession("tags.onnx")',
            'vocabulary = json.load(open("vocabulary.json"))',
            f"indices = np.full((1, {columns}), {size})",
            f'indices[0, 0] = vocabulary.index("{model.vocabulary[0]}")',
            '(phi_w,) = tags.run(None, {"tags": indices})',
        ]
    return files, "\n".join(lines)


def _convert(
    graph: nn.Module,
    example: torch.Tensor,
    path: Path,
    names: dict[str, list[str]],
    dynamic: dict,
    compare: Callable[[Path], None],
) -> None:
    """Write a graph whose input has outputs (`names`) and axes of any size (`dynamic`)."""
    (given,) = names
    with store.replacing(path) as part:
        with _quiet():
            program = torch.onnx.export(
                graph.eval(),
                (example,),
                dynamo=True,
                dynamic_shapes={given: dynamic},
                input_names=[given],
                output_names=names[given],
                verbose=False,
            )
            program.save(part)
        compare(part)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on packages that it does not need."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _compare_audio(embedder: Embedder, path: Path) -> None:
    """Sounds of several lengths, longer than what the front end would pad."""
    front_end = embedder.model.front_end
    patch = front_end["n_frames"] * front_end["hop_length"]
    padded = embedder.clips["pad_to_seconds"] * front_end["sample_rate"]
    generator = np.random.default_rng(0)
    aligned = embedder.model.network.projection is not None
    for length in LENGTHS:
        samples = round(padded + length * patch)
        signal = (0.1 * generator.normal(size=samples)).astype(np.float32)
        found = _run(path, {"signal": signal})
        truth = [embedder.embed(signal, front_end["sample_rate"], aligned=False)]
        if aligned:
            truth.append(embedder.embed(signal, front_end["sample_rate"], aligned=True))
        _check(path, found[1:], truth)


def _compare_tags(embedder: Embedder, columns: int, path: Path) -> None:
    vocabulary = embedder.model.vocabulary
    sets = [[tag] for tag in vocabulary[:8]] + [vocabulary[:columns]]
    (found,) = _run(path, {"tags": embedder.model.tag_indices(sets)})
    _check(path, [found], [embedder.model.embed_tags(sets)])


def _run(path: Path, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def _check(path: Path, found: list[np.ndarray], truth: list[np.ndarray]) -> None:
    for ours, theirs in zip(truth, found, strict=True):
        difference = float(np.abs(np.asarray(ours) - theirs).max())
        allowed = TOLERANCE * max(1.0, float(np.abs(ours).max()))
        if difference > allowed:
            raise TagalignError(
                f"{path.name}: onnxruntime differs from PyTorch by {difference:.1e}, more than"
                f" {allowed:.1e}; please report this"
            )


def _write_safetensors(embedder: Embedder, output: Path) -> tuple[dict[str, str], str]:
    from safetensors.numpy import save_file

    model = embedder.model
    arrays = {name: weights.numpy() for name, weights in model.network.state_dict().items()}
    words = getattr(model.network.tag_encoder, "words", None)
    if words is not None:
        arrays["word_vectors"] = words.vectors.numpy()
    if model.scaling is not None:
        arrays["scaling.minimum"] = model.scaling.minimum
        arrays["scaling.maximum"] = model.scaling.maximum
    # Every value is text there.
    metadata = {
        "system": store.canonical(model.system.to_dict()),
        "network": store.canonical(model.settings),
        "front_end": store.canonical(model.front_end),
        "cleaning": store.canonical(model.cleaning),
        "tags_per_sound": str(model.tags_per_sound),
        "tag_order": model.tag_order,
    }
    if model.scaling is not None:
        metadata |= {"scaling.axis": model.scaling.axis, "scaling.clip": model.scaling.clip}
    contiguous = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    with store.replacing(output / "model.safetensors") as part:
        save_file(contiguous, part, metadata)
    files = {
        "model.safetensors": "weights, word vectors and min-max statistics; settings as metadata"
    }
    example = (
        'from safetensors import safe_open\n\nwith safe_open("model.safetensors", "numpy") as file:'
        "\n    settings = file.metadata()\n    weights = {name: file.get_tensor(name) for name in"
        " file.keys()}"
    )
    return files, example


def _write_text(path: Path, text: str) -> None:
    with store.replacing(path) as part:
        part.write_text(text.rstrip("\n") + "\n")


_WRITERS = {"onnx": _write_onnx, "safetensors": _write_safetensors}
