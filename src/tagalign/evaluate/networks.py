"""Networks of one hidden layer that are trained together, each as scikit-learn would.

`Network` is what each has of its own on the host: random stream, order of the samples,
stopping rule. `Together` holds the weights of K of them as tensors (K, ...) and takes one
Adam step for all. `tagalign.evaluate.torch_mlp` says when.
"""

import numpy as np
import torch
from torch.optim.adam import adam

from tagalign.errors import InputError
from tagalign.evaluate.classes import all_classes

# The defaults of MLPClassifier.
BATCH_SIZE = 200
MAXIMUM_EPOCHS = 200
PATIENCE = 10  # epochs
TOLERANCE = 1e-4
L2_PENALTY = 1e-4
LEARNING_RATE = 1e-3
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Network:
    """The part of a network that stays on the host: random stream, order, stopping rule."""

    def __init__(self, where: int, fold: tuple, seed: int, hidden: int):
        train, labels, _ = fold
        self.where, self.seed = where, seed
        self.count = labels.shape[1]  # classes of the task, C
        self.classes, self.labels = np.unique(labels.argmax(axis=1), return_inverse=True)
        self.n, features = train.shape
        self.dtype = train.dtype
        # Two classes share one logistic unit.
        outputs = len(self.classes) if len(self.classes) > 2 else 1
        self.shape = (features, hidden, outputs)
        self.batch_size = min(BATCH_SIZE, self.n)
        self.batches = -(-self.n // self.batch_size)
        self.batch = 0
        self.losses, self.best, self.stale = [], np.inf, 0
        self.scores = None

    def initial(self) -> list[np.ndarray]:
        """Weights and biases of both layers; starts the random stream."""
        self.random = np.random.RandomState(self.seed)
        self.order = np.arange(self.n)
        drawn = []
        for inputs, outputs in ((self.shape[0], self.shape[1]), (self.shape[1], self.shape[2])):
            bound = np.sqrt(6 / (inputs + outputs))
            drawn.append(self.random.uniform(-bound, bound, (inputs, outputs)))
            drawn.append(self.random.uniform(-bound, bound, (1, outputs)))
        return [values.astype(self.dtype) for values in drawn]

    def shuffle(self) -> np.ndarray:
        """Order of the samples in the next epoch, (n,): the last one, shuffled again."""
        permutation = np.arange(self.n)
        self.random.shuffle(permutation)
        self.order = self.order[permutation]
        return self.order

    def filled(self, values: np.ndarray, padding: float) -> np.ndarray:
        """Deal (n,) values into (batches, batch size)."""
        dealt = np.full(self.batches * self.batch_size, padding, np.asarray(values).dtype)
        dealt[: self.n] = values
        return dealt.reshape(self.batches, self.batch_size)

    def width(self) -> int:
        """Samples in the current batch."""
        return min(self.batch_size, self.n - self.batch * self.batch_size)

    def ends(self, loss: float) -> bool:
        """Count an epoch; is it the last?"""
        self.losses.append(loss)
        self.stale = self.stale + 1 if loss > self.best - TOLERANCE else 0
        self.best = min(self.best, loss)
        return self.stale > PATIENCE or len(self.losses) == MAXIMUM_EPOCHS


class Together:
    """The tensors of K networks that advance together."""

    def __init__(self, networks: list[Network], device: torch.device):
        self.device = device
        drawn = zip(*(network.initial() for network in networks), strict=True)
        w1, b1, w2, b2 = (torch.as_tensor(np.stack(each), device=device) for each in drawn)
        # The second layer lies as (outputs, hidden): ten columns are slow to multiply by.
        self.parameters = [w1, b1, w2.mT.contiguous(), b2]
        self.gradients = [torch.zeros_like(each) for each in self.parameters]
        self.first_moments = [torch.zeros_like(each) for each in self.parameters]
        self.second_moments = [torch.zeros_like(each) for each in self.parameters]
        self.steps = [torch.zeros((), device=device) for _ in self.parameters]
        self.time = 0
        self.which = torch.arange(len(networks), device=device)
        # `Network.batch` of each again: fetched from the host it would make every step wait.
        self.batch = torch.zeros(len(networks), dtype=torch.int64, device=device)
        self.batches = torch.tensor([network.batches for network in networks], device=device)
        K = len(networks)
        most = max(network.batches for network in networks)
        self.widest = max(network.batch_size for network in networks)
        self.rows = torch.zeros((K, most, self.widest), dtype=torch.int64, device=device)
        self.weights = torch.zeros(self.rows.shape, dtype=self.parameters[0].dtype, device=device)
        for k, network in enumerate(networks):
            ones = network.filled(np.ones(network.n, network.dtype), 0)
            share = ones / ones.sum(axis=1, keepdims=True)
            self.weights[k, : network.batches, : network.batch_size] = torch.as_tensor(share)
        self.loss = torch.zeros(K, dtype=torch.float64, device=device)
        self.buffer = None

    def start_epoch(self, k: int, network: Network, first_row: int) -> None:
        """Shuffle the samples of network `k`, whose rows begin at `first_row`."""
        rows = torch.as_tensor(network.filled(network.shuffle() + first_row, first_row))
        if self.device.type == "cuda":
            # From pinned memory the copy waits for nothing.
            rows = rows.pin_memory().to(self.device, non_blocking=True)
        self.rows[k, : network.batches, : network.batch_size] = rows
        self.loss[k] = 0

    def step(self, networks: list[Network], samples, labels) -> None:
        """One batch of every network: forward, loss, backward, Adam."""
        K, width = len(networks), max(network.width() for network in networks)
        which = self.which[:K]
        rows = self.rows[which, self.batch, :width]  # (K, B)
        weights = self.weights[which, self.batch, :width].unsqueeze(2)  # (K, B, 1)
        self.batch.add_(1).remainder_(self.batches)
        x = self._take(samples, rows)  # (K, B, features)
        w1, b1, w2, b2 = self.parameters
        g1, c1, g2, c2 = self.gradients

        h = torch.bmm(x, w1).add_(b1).relu_()  # (K, B, hidden)
        delta = self._output(torch.bmm(h, w2.mT).add_(b2), labels[rows], weights > 0)
        delta *= weights  # (K, B, outputs)
        torch.bmm(delta.mT, h, out=g2)
        torch.sum(delta, 1, keepdim=True, out=c2)
        delta = torch.bmm(delta, w2)
        delta *= h.sign_()
        torch.bmm(x.mT, delta, out=g1)
        torch.sum(delta, 1, keepdim=True, out=c1)
        # The first sample of a batch is never padding: its weight is 1 / samples.
        decay = L2_PENALTY * weights[:, :1]
        g1.addcmul_(w1, decay)
        g2.addcmul_(w2, decay)
        self._adam()

    def _output(self, z, labels, valid):
        """Count the loss of a batch; return its derivative by z, (K, B, outputs)."""
        tiny = torch.finfo(z.dtype).eps
        if z.shape[2] == 1:
            p = z.sigmoid()
            target = labels.unsqueeze(2).to(z.dtype)
            likelihood = torch.where(target > 0, p, 1 - p)
        else:
            p = z.softmax(2)
            target = torch.zeros_like(p).scatter_(2, labels.unsqueeze(2), 1)
            likelihood = p.gather(2, labels.unsqueeze(2))
        surprise = likelihood.clamp_(tiny, 1 - tiny).log_() * valid
        self.loss -= surprise.sum((1, 2))
        for weights in self.parameters[::2]:
            norm = torch.linalg.vector_norm(weights, dim=(1, 2))
            self.loss += L2_PENALTY / 2 * norm.double().square()
        return p.sub_(target)

    def _adam(self) -> None:
        # scikit-learn adds epsilon to the root of the second moment before the bias is
        # corrected, PyTorch afterwards.
        self.time += 1
        adam(
            self.parameters,
            self.gradients,
            self.first_moments,
            self.second_moments,
            [],
            self.steps,
            fused=True,
            amsgrad=False,
            beta1=BETA_1,
            beta2=BETA_2,
            lr=LEARNING_RATE,
            weight_decay=0,
            eps=EPSILON / (1 - BETA_2**self.time) ** 0.5,
            maximize=False,
        )

    def _take(self, samples, rows):
        """The samples at `rows`, in memory that every step uses again."""
        (K, width), features = rows.shape, samples.shape[1]
        if self.buffer is None:
            self.buffer = samples.new_empty((K * self.widest, features))
        taken = self.buffer[: K * width]
        torch.index_select(samples, 0, rows.flatten(), out=taken)
        return taken.view(K, width, features)

    def score(self, k: int, network: Network, test: np.ndarray) -> np.ndarray:
        """Class scores that network `k` gives to the test clips, float32 (m, C)."""
        w1, b1, w2, b2 = (each[k] for each in self.parameters)
        if not all(each.isfinite().all() for each in (w1, b1, w2, b2)):
            raise InputError(
                f"the classifier of seed {network.seed} has weights that are not finite:"
                " the embeddings hold values that are too large; look at the model's training"
            )
        x = torch.as_tensor(test, device=self.device)
        z = torch.addmm(b2, torch.addmm(b1, x, w1).relu_(), w2.mT).double()
        if z.shape[1] == 1:
            positive = z.sigmoid()
            p = torch.cat((1 - positive, positive), 1)[:, -len(network.classes) :]
        else:
            p = z.softmax(1)
        return all_classes(p.cpu().numpy(), network.classes, network.count)

    def keep(self, kept: list[int]) -> None:
        """Drop the networks that have stopped."""
        kept = torch.tensor(kept, dtype=torch.int64, device=self.device)
        for name in ("parameters", "gradients", "first_moments", "second_moments"):
            setattr(self, name, [each[kept] for each in getattr(self, name)])
        for name in ("rows", "weights", "loss", "batch", "batches"):
            setattr(self, name, getattr(self, name)[kept])
        self.buffer = None
