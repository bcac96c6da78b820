"""What changes the weights after a step: AdamW alone, or Muon for the matrices inside a network beside it."""

from __future__ import annotations

import torch
from torch import nn

from diffstudio.errors import BadInput
from diffstudio.training.recipe import Schedule

BETAS = 0.9, 0.99
MATRIX_DECAY = 0.01  # of its speed: Muon's steps all have the same size, so that weights would grow for ever


class Optimisers:
    """The optimisers of a plan as one; `rate` is the share of each one's own speed.

    Raises:
        BadInput: Muon for a network without blocks.
    """

    def __init__(self, network: nn.Module, plan: Schedule) -> None:
        matrices = inner_matrices(network) if plan.optimizer == "muon" else []
        if plan.optimizer == "muon" and not matrices:
            raise BadInput(
                "optimizer is 'muon', which is for the matrices of blocks, and the network has none: use 'adamw'"
            )
        inside = {id(matrix) for matrix in matrices}
        rest = [weight for weight in network.parameters() if id(weight) not in inside]
        self._all: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(rest, lr=plan.lr, weight_decay=plan.weight_decay, betas=BETAS)
        ]
        if matrices:
            self._all.append(torch.optim.Muon(matrices, lr=plan.matrix_lr, weight_decay=MATRIX_DECAY))
        self._speeds = [[float(group["lr"]) for group in one.param_groups] for one in self._all]

    def step(self, rate: float) -> None:
        """Change the weights by their gradients."""
        for one, speeds in zip(self._all, self._speeds, strict=True):
            for group, speed in zip(one.param_groups, speeds, strict=True):
                group["lr"] = speed * rate
            one.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for one in self._all:
            one.zero_grad(set_to_none=True)


def inner_matrices(network: nn.Module) -> list[torch.Tensor]:
    """The matrices of a network's blocks: those that Muon is made for (Jordan et al. 2024).

    Embeddings, the first and the last layer, and what tells the blocks of time and label are left to AdamW.
    """
    return [
        layer.weight
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear) and name.split(".")[0] == "blocks"
    ]
