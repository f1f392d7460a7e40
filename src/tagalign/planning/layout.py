"""Where the files of a run lie, and which there are.

The workflow, ``tagalign plan`` and ``tagalign verify`` all ask here. A file is known by the stage
that makes it and its wildcards, such as ``file("train", system="cnn", seed=0)``.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tagalign import store
from tagalign.config.load import data_name
from tagalign.errors import InputError
from tagalign.model.systems import System, find_system
from tagalign.sources import find_source
from tagalign.tasks import find_task

PATTERNS = {
    "catalogue": "{data}/catalogue.h5",
    "shard": "{data}/shards/{shard}.h5",
    "audio": "{data}/audio/{shard}.h5",
    "patches": "{results}/patches/{shard}.h5",
    "tags": "{results}/tags.h5",
    "word2vec": "{results}/word2vec/{dimension}.h5",
    "pairs": "{results}/pairs.h5",
    "train": "{results}/models/{system}/{seed}.h5",
    "dataset": "{results}/datasets/{task}.h5",
    "task": "{results}/tasks/{task}.h5",
    "leaks": "{results}/leaks/{task}.h5",
    "embed_task": "{results}/embeddings/{system}/{seed}/{task}.h5",
    "evaluate": "{results}/scores/{system}/{seed}/{task}.h5",
    "retrieve": "{results}/retrieval/{system}/{seed}.h5",
    "zeroshot": "{results}/zeroshot/{system}/{seed}/{task}.h5",
}
"""Stage -> its file. A shard file is made together with the catalogue, by the same stage."""

WILDCARDS = {
    "shard": r"\d+",
    "dimension": r"\d+",
    "seed": r"\d+",
    "system": r"[A-Za-z0-9-]+",
    "task": r"[a-z0-9-]+",
}
"""Wildcard -> regular expression of its values."""

DATASETS = "data/datasets"
"""Directory of the evaluation data sets, which all runs share."""


class Layout:
    """The files of a run.

    Parameters
    ----------
    settings
        A whole configuration.
    data, results
        Directories of the sounds and of the run, if they are not where the workflow puts them:
        ``data/NAME`` and ``results/RUN``.

    Attributes
    ----------
    data, results, logs : str
        Directories.
    source : str
        Kind of the source, such as ``"freesound"``.
    gives : str
        What it gives, see `tagalign.sources.Source`: ``"files"``, ``"previews"`` or ``"pairs"``.
    catalogue : str
        The file that lists the shards; a workflow that moves its files says where it is.
    trained : list of System
        The systems less the baseline ``mfcc``, which is no network.

    Raises
    ------
    ConfigError, InputError
        There is no such system or task.
    """

    def __init__(
        self,
        settings: Mapping,
        *,
        data: str | os.PathLike | None = None,
        results: str | os.PathLike | None = None,
    ):
        self.settings = settings
        self.data = str(data or f"data/{data_name(settings)}")
        self.results = str(results or f"results/{settings['run']}")
        self.logs = f"{self.results}/logs"
        self.source: str = settings["source"]["kind"]
        self.gives = find_source(self.source).gives
        self.keeps_audio: bool = settings["source"]["freesound"]["keep_audio"]
        self.seeds: list[int] = settings["seeds"]
        self.tasks: list[str] = settings["tasks"]
        self.trained: list[System] = [
            find_system(name) for name in settings["systems"] if name != "mfcc"
        ]
        self.catalogue = self.file("catalogue")
        self._from_tags = {task for task in self.tasks if find_task(task).from_tags}

    def pattern(self, stage: str) -> str:
        """Path of the file of a stage, with its wildcards in braces."""
        text = PATTERNS[stage].replace("{data}", self.data)
        return text.replace("{results}", self.results)

    def file(self, stage: str, **wildcards: object) -> str:
        """Path of one file of a stage."""
        path = self.pattern(stage)
        for name, value in wildcards.items():
            path = path.replace(f"{{{name}}}", str(value))
        return path

    def stages(self) -> list[str]:
        """Stages of the run that make stage files, in the order of `PATTERNS`."""
        absent = {
            "pairs": {"catalogue", "shard", "audio", "patches"},
            "files": {"audio"},
            "previews": set(),
        }[self.gives]
        return [stage for stage in PATTERNS if stage not in absent]

    def files(self, stage: str) -> list[str]:
        """All files of a stage; those of the shards as the catalogue lists them now."""
        return [self.file(stage, **wildcards) for wildcards in self.wildcards(stage)]

    def wildcards(self, stage: str) -> list[dict[str, str]]:
        """Wildcards of each file of a stage."""
        if stage in ("shard", "audio", "patches"):
            return [{"shard": shard} for shard in self.shards()]
        if stage == "word2vec":
            return [{"dimension": str(width)} for width in self.widths]
        if stage == "train":
            names = [system.name for system in self.trained]
            return [{"system": name, "seed": str(seed)} for name in names for seed in self.seeds]
        if stage == "retrieve":
            return self.wildcards("train")
        if stage == "zeroshot":
            return [one for one in self._combinations() if self._is_zeroshot(**one)]
        if stage in ("dataset", "task", "leaks"):
            return [{"task": task} for task in self.tasks]
        if stage in ("embed_task", "evaluate"):
            return list(self._combinations())
        return [{}]

    def _combinations(self) -> Iterator[dict[str, str]]:
        """Systems, seeds and tasks that go together: tags can be embedded by a tag encoder only."""
        for task in self.tasks:
            if "mfcc" in self.settings["systems"] and task not in self._from_tags:
                yield {"system": "mfcc", "seed": "0", "task": task}
            for system in self.trained:
                if system.tag_encoder or task not in self._from_tags:
                    for seed in self.seeds:
                        yield {"system": system.name, "seed": str(seed), "task": task}

    def _is_zeroshot(self, system: str, seed: str, task: str) -> bool:
        """Whether a system can compare the clips of a task with tags."""
        aligned = system != "mfcc" and "contrastive" in find_system(system).losses
        return aligned and task not in self._from_tags

    @property
    def widths(self) -> list[int]:
        """Sizes of the word vectors that the systems need."""
        return sorted({system.width for system in self.trained if system.width})

    def shards(self) -> list[str]:
        """Numbers of the shards that the catalogue lists, as they stand in file names.

        None as long as there is no catalogue, or none that can be read.
        """
        try:
            with store.read(self.catalogue, stage="catalogue") as file:
                return [f"{number:04d}" for number in sorted(set(file["shard"][()].tolist()))]
        except InputError:
            return []

    def word_vectors(self, system: str) -> str | None:
        """The word vectors that a system needs."""
        width = find_system(system).width
        return self.file("word2vec", dimension=width) if width else None

    def model(self, system: str, seed: str) -> str | None:
        """The model of a system; MFCC have none."""
        return None if system == "mfcc" else self.file("train", system=system, seed=seed)

    def inputs(self, stage: str, wildcards: Mapping[str, str]) -> dict[str, str]:
        """Role -> path of the stage files from which a file is made.

        The roles are those that the file itself records.
        """
        if stage == "audio":
            return {"catalogue": self.file("shard", **wildcards)}
        if stage == "patches":
            sounds = {"audio": self.file("audio", **wildcards)} if self.gives == "previews" else {}
            return {"catalogue": self.file("shard", **wildcards)} | sounds
        if stage == "tags" and self.gives != "pairs":
            return {"catalogue": self.file("catalogue")}
        if stage == "word2vec":
            return {"tags": self.file("tags")}
        if stage == "pairs" and self.gives != "pairs":
            shards = {
                f"patches/{number:04}": path for number, path in enumerate(self.files("patches"))
            }
            return {"tags": self.file("tags")} | shards
        if stage == "train":
            vectors = self.word_vectors(wildcards["system"])
            return {"pairs": self.file("pairs")} | ({"word2vec": vectors} if vectors else {})
        if stage == "task":
            return {"dataset": self.file("dataset", **wildcards)}
        if stage == "leaks":
            pretraining = [self.file("tags"), self.file("pairs")]
            roles = {f"pretraining {number}": path for number, path in enumerate(pretraining)}
            made = {
                "task": self.file("task", **wildcards),
                "dataset": self.file("dataset", **wildcards),
            }
            # Only files have a checksum.
            listed = {"catalogue": self.file("catalogue")} if self.gives == "files" else {}
            return made | roles | listed
        if stage == "embed_task":
            model = self.model(wildcards["system"], wildcards["seed"])
            task = {"task": self.file("task", task=wildcards["task"])}
            return task | ({"model": model} if model else {})
        if stage == "retrieve":
            return {"model": self.file("train", **wildcards), "pairs": self.file("pairs")}
        if stage == "zeroshot":
            return {
                "task": self.file("task", task=wildcards["task"]),
                "embeddings": self.file("embed_task", **wildcards),
                "model": self.file("train", system=wildcards["system"], seed=wildcards["seed"]),
            }
        if stage == "evaluate":
            task = self.file("task", task=wildcards["task"])
            return {"task": task, "embeddings": self.file("embed_task", **wildcards)}
        return {}

    def counted(self) -> list[str]:
        """Files whose sounds that were left out are counted in the report."""
        files = [self.file("tags"), self.file("pairs")]
        if self.gives != "pairs":
            files += [self.file("catalogue"), *self.files("patches")]
        files += self.files("leaks") if self.trained else []
        # Which clips have no known tag depends on the vocabulary alone: any model tells.
        embeddings = {path.rpartition("/")[2]: path for path in self.files("embed_task")}
        tag_files = [f"{task}.h5" for task in self.tasks if task in self._from_tags]
        files += [embeddings[name] for name in tag_files if name in embeddings]
        return files + self.files("task")

    def figures(self) -> list[str]:
        """Names of the report's figures: those of which there is something to draw."""
        names = ["accuracy"]
        if any(system.losses for system in self.trained):
            names.append("training")
        tasks = dict.fromkeys(wildcards["task"] for wildcards in self.wildcards("evaluate"))
        return names + [f"confusion-{task}" for task in tasks]

    def training(self, system: str, seed: str) -> str:
        """Directory of what a training tells of itself beside its model."""
        return f"{self.results}/training/{system}/{seed}"

    def training_figures(self) -> list[str]:
        """Directories of the figures of each model."""
        return [f"{self.training(**wildcards)}/figures" for wildcards in self.wildcards("train")]

    def everything(self) -> list[str]:
        """All files that a whole run leaves, less those of the shards."""
        stages = [stage for stage in self.stages() if stage not in ("shard", "audio", "patches")]
        return [*(path for stage in stages for path in self.files(stage)), *self.training_figures()]

    def match(self, path: str | os.PathLike) -> tuple[str, dict[str, str]] | None:
        """Stage and wildcards of a stage file of the run's layout; None if it is none."""
        for stage in PATTERNS:
            text = re.escape(self.pattern(stage))
            for name, values in WILDCARDS.items():
                text = text.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{values})")
            found = re.fullmatch(text, str(Path(path)))
            if found:
                return stage, found.groupdict()
        return None
