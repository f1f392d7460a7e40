"""What a person asks of a model file: what it is, what it was made of, how to use it."""

import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from tagalign import store
from tagalign.model.file import Model, load_model
from tagalign.planning.run import Run, read_attributes

SAMPLE = 20  # tags of the vocabulary to show
# Columns of a run's scores.csv that are no score.
KEYS = {"system", "task", "seed", "repetition", "fold"}


def model_facts(path: str | os.PathLike) -> dict:
    """What is known of a model, as plain values for a card or for JSON.

    What the file itself does not say, its data, their licences and its scores, is looked up in
    the run (``results/RUN``) to which the file belongs, if there is one.

    Raises
    ------
    InputError
        The file is missing or is not a model file.
    """
    model, found = load_model(path), read_attributes(path)
    facts = {
        "system": model.system.name,
        "architecture": _architecture(model),
        "parameters": sum(weights.numel() for weights in model.network.parameters()),
        "seed": int(found["seed"]) if "seed" in found else None,
        "sizes": _sizes(model),
        "front_end": model.front_end,
        "vocabulary": {"size": len(model.vocabulary), "first": model.vocabulary[:SAMPLE]},
        "training": found["config"].get("train", {}),
        "after_training": {
            name: float(values[-1]) for name, values in model.history.items() if len(values)
        },
        "made_by": found["stage"],
        "made_from": found["inputs"],
        "versions": found["versions"],
        "sha256": store.digest(path),
    }
    run = Run.of(path)
    facts["data"] = _data(run) if run else {}
    facts["scores"] = _scores(run, Path(path)) if run else {}
    return facts


def describe_model(path: str | os.PathLike) -> str:
    """What a person asks of a model file, for a terminal.

    Raises
    ------
    InputError
        As for `model_facts`.
    """
    facts = model_facts(path)
    lines = [f"{path}: a model of system {facts['system']}"]
    lines += [f"  {label:12} {text}" for label, text in _lines(facts)]
    lines.append("  use it")
    lines += [f"    {line}" for line in how_to_use(facts, str(path))]
    return "\n".join(lines)


def markdown_card(facts: Mapping, files: Mapping[str, str], example: str) -> str:
    """A model card.

    Parameters
    ----------
    facts
        As `model_facts` gives them.
    files
        Name -> meaning of each file beside the card.
    example
        Python that uses them.
    """
    parts = [f"# {facts['system']}, made with tagalign", ""]
    parts += [f"- **{label}**: {text}" for label, text in _lines(facts)]
    parts += ["", "## Files", ""]
    parts += [f"- `{name}`: {meaning}" for name, meaning in files.items()]
    parts += ["", "## Use", "", "```python", example.strip(), "```", "", "## Source", ""]
    parts += [
        "Favory, Drossos, Virtanen, Serra: *Learning Contextual Tag Embeddings for Cross-Modal"
        " Alignment of Audio and Tags*, 2020.",
        "",
    ]
    return "\n".join(parts)


def how_to_use(facts: Mapping, path: str) -> Iterator[str]:
    """Commands for this model."""
    sizes = facts["sizes"]
    if "embedding" in sizes:
        yield f"tagalign embed {path} SOUND... -o embeddings.h5"
    if {"embedding", "aligned embedding"} <= set(sizes):
        yield f"tagalign tag {path} SOUND"
        yield f"tagalign index {path} FOLDER -o index.h5"
        yield 'tagalign search index.h5 "TAG, TAG"'
    elif "aligned embedding" in sizes:
        yield f'tagalign embed-tags {path} "TAG, TAG" -o tags.h5'
    yield f'python: import tagalign; model = tagalign.load("{path}")'


def _architecture(model: Model) -> str:
    system, network = model.system, model.network
    tag_encoders = {
        "attention": f"self-attention over word vectors of {system.width}, {system.heads} head(s)",
        "mean": f"mean of word vectors of {system.width}",
        "multi_hot": "multi-hot tags through dense layers",
    }
    parts = []
    if network.audio_encoder is not None:
        channels = f"{model.settings['channels']} channels"
        parts.append(
            f"convolutional audio encoder of {channels}"
            if system.audio_encoder == "cnn"
            else f"audio encoder {system.audio_encoder} of {channels}"
        )
    if network.tag_encoder is not None and system.tag_encoder is not None:
        name = system.tag_encoder
        parts.append(f"tag encoder: {tag_encoders.get(name, name)}")
    losses = ", ".join(system.losses).replace("_", " ") or "none, random weights"
    return f"{'; '.join(parts)}; losses: {losses}"


def _sizes(model: Model) -> dict[str, int]:
    """Values of a vector in each space that the model has."""
    network, sizes = model.network, {}
    if network.audio_encoder is not None:
        sizes["embedding"] = int(network.audio_encoder.size)
    if network.tag_encoder is not None:
        sizes["aligned embedding"] = int(network.tag_encoder.size)
    return sizes


def _data(run: Run) -> dict:
    """Source, number of sounds and their licences, of the run's catalogue."""
    source = run.settings["source"]
    facts: dict = {"run": run.directory.name, "source": source["kind"]}
    catalogue = run.data / "catalogue.h5"
    if catalogue.is_file():
        with store.read(catalogue, stage="catalogue") as file:
            facts["sounds"] = store.count_strings(file["id"])
            if "license" in file:
                licences = Counter(store.read_strings(file["license"]))
                facts["licences"] = dict(licences.most_common())
    return facts


def _scores(run: Run, path: Path) -> dict[str, dict[str, float]]:
    """Task -> metric -> mean over folds and repetitions, of this system and seed."""
    table = run.directory / "scores.csv"
    if not table.is_file() or path.parent.parent.name != "models":
        return {}
    collected: defaultdict = defaultdict(lambda: defaultdict(list))
    with open(table, newline="") as file:
        for row in csv.DictReader(file):
            if (row["system"], row["seed"]) == (path.parent.name, path.stem):
                for metric in set(row) - KEYS:
                    collected[row["task"]][metric].append(float(row[metric]))
    return {
        task: {metric: sum(values) / len(values) for metric, values in sorted(metrics.items())}
        for task, metrics in collected.items()
    }


def _lines(facts: Mapping) -> Iterator[tuple[str, str]]:
    """Label and text of what is known, in the order in which a person asks."""
    front_end = facts["front_end"]
    sizes = ", ".join(f"{name} of {size} values" for name, size in facts["sizes"].items())
    yield "architecture", facts["architecture"]
    yield "parameters", f"{facts['parameters']:,}"
    yield "gives", sizes
    seconds = front_end["n_frames"] * front_end["hop_length"] / front_end["sample_rate"]
    yield (
        "hears",
        f"{front_end['sample_rate']} Hz, patches of {front_end['n_mels']} mel bands x"
        f" {seconds:.2f} s",
    )
    vocabulary = facts["vocabulary"]
    shown = ", ".join(vocabulary["first"])
    more = ", ..." if vocabulary["size"] > SAMPLE else ""
    yield "vocabulary", f"{vocabulary['size']} tags: {shown}{more}"
    if facts["seed"] is not None:
        yield "seed", str(facts["seed"])
    if facts["training"]:
        keys = ("optimizer", "learning_rate", "batch_size", "epochs")
        yield "training", ", ".join(f"{key} {facts['training'][key]}" for key in keys)
    if facts["after_training"]:
        values = (f"{name} {value:.4g}" for name, value in facts["after_training"].items())
        yield "at its end", ", ".join(values)
    data = facts["data"]
    if data:
        known = f", {data['sounds']} sounds" if "sounds" in data else ""
        yield "data", f"run {data['run']}, source {data['source']}{known}"
        if "licences" in data:
            counts = (f"{name or 'unknown'} ({n})" for name, n in data["licences"].items())
            yield "licences", ", ".join(counts)
    else:
        made_from = (f"{role} {digest[:12]}" for role, digest in facts["made_from"].items())
        yield "data", ", ".join(made_from) or "unknown"
    for task, metrics in facts["scores"].items():
        values = (f"{name.replace('_', ' ')} {value:.1f}" for name, value in metrics.items())
        yield f"on {task}", ", ".join(values)
    versions = (f"{name} {version}" for name, version in facts["versions"].items())
    yield "versions", ", ".join(versions)
    yield "sha256", facts["sha256"]
