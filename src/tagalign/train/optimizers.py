"""The optimizers and the course of their learning rate: one table.

A new one is a function that makes it, a function for the course of its rate if that is not
constant, a row of `OPTIMIZERS`, and its name in the schema of ``train.optimizer``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch


def constant(share: float, settings: Mapping) -> float:
    """The learning rate stays that of the configuration."""
    return 1.0


@dataclass(frozen=True)
class Recipe:
    """A row of the table of optimizers.

    Attributes
    ----------
    make
        ``make(parameters, settings) -> optimizer``, with the configuration section ``train``. Its
        state must be tensors, as PyTorch's own optimizers keep it, so that it can be saved.
    rate
        ``rate(share, settings)``: factor on ``train.learning_rate`` for the next step, when this
        share of all steps is done [range=[0, 1)]. It must not depend on anything else, so that a
        resumed training goes on alike.
    """

    make: Callable[[Iterable[torch.nn.Parameter], Mapping], torch.optim.Optimizer]
    rate: Callable[[float, Mapping], float] = constant


def sgd(parameters: Iterable[torch.nn.Parameter], settings: Mapping) -> torch.optim.Optimizer:
    """Plain stochastic gradient descent, without momentum."""
    return torch.optim.SGD(parameters, lr=settings["learning_rate"], fused=True)


def adam(parameters: Iterable[torch.nn.Parameter], settings: Mapping) -> torch.optim.Optimizer:
    """Adam with PyTorch's defaults."""
    return torch.optim.Adam(parameters, lr=settings["learning_rate"], fused=True)


OPTIMIZERS = {"sgd": Recipe(sgd), "adam": Recipe(adam)}
"""Name in ``train.optimizer`` -> how it is made. All updates are fused into one kernel."""
