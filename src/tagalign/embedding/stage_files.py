"""The file of the embeddings of a task's clips."""

import dataclasses

import numpy as np

from tagalign.store.fields import StageFile, attribute, failures, field


@dataclasses.dataclass(kw_only=True)
class ClipEmbeddings(StageFile, stage="embed-task", place="embeddings/SYSTEM/SEED/TASK.h5"):
    """An embedding of each clip of a task: z_a, phi_w of its tags, or MFCC statistics."""

    task: str = attribute("text", "name of the task")
    clip_id: list[str] = field("text", "M", "the clips that have an embedding")
    embedding: np.ndarray = field("float32", "M V", "their embeddings")
    failed: list[tuple[str, str]] = failures("clips without an embedding, and why")
