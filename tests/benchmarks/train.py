"""Training steps: ours against the way of the authors' release, full width, batch 128.

The release (and the baseline here): eager float32, a DataLoader with two workers, lists of tags
built in Python from the multi-hot rows of the batch, three backward passes through one graph, two
optimisers, and the value of each loss fetched in each step.

On a GPU also whole trainings of the paper's size, each in a process of its own: epochs with
validation and checkpoint, the memory that they take, and two of them side by side.
"""

import itertools
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
from rows import Row, rates
from torch.utils.data import DataLoader, Dataset

from tagalign.config import load as config
from tagalign.model.device import choose_device
from tagalign.model.losses import generalised_kl, nt_xent, tag_cross_entropy
from tagalign.model.network import Network
from tagalign.model.objective import Objective
from tagalign.model.systems import SYSTEMS
from tagalign.train.checkpoint import Checkpoint
from tagalign.train.data import Pairs, TrainingData
from tagalign.train.loop import Outlets, fit
from tagalign.train.step import Step, set_up_arithmetic

SYSTEM = SYSTEMS["w2v-128-4h"]
VOCABULARY = 1000
TAGS_PER_SOUND = 10
BATCH = 128
# The paper's training set on a GPU; on a CPU the size makes no difference to a step.
SOUNDS = {"cpu": 512, "cuda": 171_000}
STEPS = {"cpu": 1, "cuda": 200}
# Of a whole training: the paper's sets, and enough epochs that the first, which compiles, can be
# left out.
SIZES = (171_000, 19_000)
EPOCHS = 5


def run() -> list[Row]:
    """Rows for the CPU and, where there is one, for the GPU."""
    if not torch.cuda.is_available():
        return measure("cpu")
    return [*measure("cpu"), *measure("cuda"), *measure_whole("cuda", SIZES, EPOCHS)]


def measure(device: str) -> list[Row]:
    """Both ways on one device, taking turns."""
    pairs = make_pairs(SOUNDS[device])
    baseline = released_way(pairs, device)
    ours = our_way(pairs, device)
    steps = STEPS[device]

    def work(step):
        def some_steps() -> int:
            for _ in range(steps):
                step()
            if device == "cuda":
                torch.cuda.synchronize()
            return steps * BATCH

        return some_steps

    rate, plain = rates(work(ours), work(baseline))
    released = "the released way (DataLoader, three backward passes)"
    return [Row(f"training of {SYSTEM.name}, {device}", rate, "samples/s", plain, released)]


def measure_whole(
    device: str, sizes: tuple[int, int], epochs: int, sections: dict | None = None
) -> list[Row]:
    """Whole trainings: one alone, and two side by side.

    Parameters
    ----------
    sizes
        Training and validation pairs.
    epochs : int > 1
        Of each training; the first is not counted.
    sections
        What differs from the default configuration.
    """
    (alone,) = at_once(1, device, sizes, epochs, sections)
    pair = at_once(2, device, sizes, epochs, sections)
    # From the first one's second epoch to the other one's end, so that no waiting is left out.
    seconds = max(each["ends"][-1] for each in pair) - min(each["ends"][0] for each in pair)
    samples = alone["samples"] * (epochs - 1)
    epoch = (alone["ends"][-1] - alone["ends"][0]) / (epochs - 1)
    name = f"whole epochs, {sizes[0]:,} sounds"
    return [
        Row(name, alone["samples"] / epoch, "samples/s"),
        Row("200 such epochs (goal: 10)", 200 * epoch / 60, "min"),
        Row("GPU memory of the training (goal: 8)", alone["gpu"] / 1e9, "GB"),
        Row("host memory of the training (goal: 8)", alone["host"] / 1e9, "GB"),
        Row(
            "two trainings side by side",
            2 * samples / seconds,
            "samples/s",
            alone["samples"] / epoch,
            "one after the other",
        ),
    ]


def at_once(count: int, *arguments) -> list[dict]:
    """What `train_whole` returns from `count` processes that begin together."""
    # Of a fork server, since the memory of a process counts as that of the one that started it.
    context = multiprocessing.get_context("forkserver")
    barrier = context.Barrier(count)
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=_meet_at, initargs=(barrier,)
    ) as pool:
        return list(pool.map(train_whole, *([each] * count for each in arguments)))


together = None  # where the processes of `at_once` wait for each other


def _meet_at(barrier) -> None:
    global together
    together = barrier


class Clock(Checkpoint):
    """A checkpoint that notes when each epoch was saved [s]."""

    def __init__(self, directory: str):
        super().__init__(directory, {"inputs": {}})
        self.ends = []

    def save(self, *state) -> bool:
        saved = super().save(*state)
        self.ends.append(time.time())
        return saved


def train_whole(
    device_name: str, sizes: tuple[int, int], epochs: int, sections: dict | None = None
) -> dict:
    """Train on noise; epochs' ends [s], samples of one, memory of GPU and host [bytes]."""
    sections = sections or {}
    sections = sections | {"train": sections.get("train", {}) | {"epochs": epochs}}
    sections = config.resolve_sections(sections, ["model", "train"])
    settings = sections["train"]
    device = choose_device(device_name)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    set_up_arithmetic(settings)
    train, validation = (make_pairs(size) for size in sizes)
    data = TrainingData(train, validation, [], None, {}, {}, TAGS_PER_SOUND, "given")
    data.to(device)
    network = make_network(sections["model"]).to(device)
    if together is not None:
        together.wait(timeout=600)
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock(folder)
        # The minutes are longer than all takes, so that there is one checkpoint per epoch.
        fit(SYSTEM, network, data, settings, 0, clock, Outlets(checkpoint_minutes=600))
    return {
        "ends": clock.ends,
        "samples": len(train) // settings["batch_size"] * settings["batch_size"],
        "gpu": torch.cuda.max_memory_reserved() if device.type == "cuda" else 0,
        "host": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def make_pairs(count: int) -> Pairs:
    """Noise in the form of the training data: only the speed matters here."""
    generator = np.random.default_rng(0)
    patches = torch.rand(1024, 96, 96, generator=torch.Generator().manual_seed(0)).half()
    # Some rows hold a tag twice, which takes no less time.
    tags = np.sort(generator.integers(0, VOCABULARY, (count, 6), np.int16))
    repeats = -(-count // 1024)
    return Pairs(
        [str(number) for number in range(count)],
        patches.repeat(repeats, 1, 1)[:count],
        torch.from_numpy(tags).short().repeat(repeats, 1)[:count],
    )


def our_way(pairs: Pairs, device: str):
    """A function that makes one step of the trainer."""
    sections = config.resolve_sections({}, ["model", "train"])
    set_up_arithmetic(sections["train"])
    network = make_network(sections["model"]).to(device)
    on_device = Pairs(pairs.ids, pairs.patches.to(device), pairs.tags.to(device))
    objective = Objective(network, SYSTEM, sections["train"], TAGS_PER_SOUND)
    step = Step(objective.train(), on_device, sections["train"])
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0)).to(device)
    batches = itertools.cycle(order[: len(pairs) // BATCH * BATCH].view(-1, BATCH))
    return lambda: step(next(batches))


class ReleasedData(Dataset):
    """What the release's loader gives: a float32 patch and a multi-hot row per sound."""

    def __init__(self, pairs: Pairs):
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int):
        tags = torch.zeros(VOCABULARY, dtype=torch.int16)
        tags[self.pairs.tags[index].long()] = 1
        return self.pairs.patches[index].float(), tags


def released_way(pairs: Pairs, device: str):
    """A function that makes one step as the release does, written anew."""
    settings = config.resolve_sections(
        {
            "model": {
                "last_dropout": 0,
                "projection_dropout": 0.25,
                "decoder_output": "batch_norm",
                "attention_dropout": 0.1,
                "padded_queries": "summed",
                "idle_tag_decoder": True,
            }
        },
        ["model"],
    )["model"]
    network = make_network(settings).to(device).train()
    audio_parts = (network.audio_encoder, network.projection, network.audio_decoder)
    tag_parts = (network.tag_encoder, network.tag_decoder)
    optimizers = [
        torch.optim.SGD([weight for part in parts for weight in part.parameters()], lr=0.005)
        for parts in (audio_parts, tag_parts)
    ]
    loader = DataLoader(
        ReleasedData(pairs),
        batch_size=BATCH,
        shuffle=True,
        num_workers=2,
        drop_last=True,
        persistent_workers=True,
    )
    batches = itertools.chain.from_iterable(itertools.repeat(loader))

    def step() -> list[float]:
        patches, tags = next(batches)
        rows = [
            ([index for index, present in enumerate(row) if present] + [VOCABULARY] * 10)[:10]
            for row in tags
        ]
        indices = torch.tensor(rows).to(device)
        patches, tags = patches[:, None].to(device), tags.float().to(device)
        z_a = network.audio_encoder(patches)
        phi_w = network.tag_encoder(indices)
        losses = [
            generalised_kl(network.audio_decoder(z_a), patches, 1e-5),
            tag_cross_entropy(network.tag_decoder(phi_w), tags),
            nt_xent(network.project(z_a), phi_w, 0.1, 1e-5),
        ]
        for optimizer in optimizers:
            optimizer.zero_grad()
        losses[0].mul(5).backward(retain_graph=True)
        losses[1].mul(0).backward(retain_graph=True)
        losses[2].mul(10).backward()
        for optimizer in optimizers:
            optimizer.step()
        return [loss.item() for loss in losses]

    return step


def make_network(settings: dict) -> Network:
    """The full-width network with the same random weights for both ways."""
    torch.manual_seed(0)
    vectors = torch.randn(VOCABULARY, SYSTEM.width)
    return Network(SYSTEM, settings, 96, 96, VOCABULARY, vectors)
