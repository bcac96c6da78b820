"""What a request will do, known before it runs and without torch: its checkpoint, its chains, its size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.catalog import Catalog, Entry
from diffstudio.data import DATASETS
from diffstudio.errors import BadFile, BadInput
from diffstudio.studio.request import Request
from diffstudio.traces.format import SCALARS, ChainSpec

STATES_IN_MEMORY = 24  # x, x̂0, their past, noise, guidance's double batch, copies for the trace: counted in states
ADAPTIVE_CALLS = 12  # of a step that chooses its own: a guess, for the time that is left
NETWORK_MEMORY = 1 << 30  # activations of one part of a batch, and the weights: ample for the networks there are


@dataclass(frozen=True)
class Plan:
    """A request resolved: sizes in bytes, `network_calls` in the reverse chain."""

    entry: Entry
    card: Card
    request: Request
    chains: tuple[ChainSpec, ...]
    network_calls: int
    record_bytes: int
    memory_bytes: int

    @property
    def total_bytes(self) -> int:
        """The size that the trace will have."""
        return self.record_bytes * sum(chain.records for chain in self.chains)


def make_plan(catalog: Catalog, request: Request) -> Plan:
    """Resolve and check a request.

    Raises:
        NotFound: no such model.  BadFile: its file is broken.  BadInput: the request does not fit the checkpoint.
    """
    entry = catalog.find(request.model)
    if entry.problem or entry.card is None:
        raise BadFile(entry.problem or f"{entry.path}: no card")
    card = entry.card
    _check(card, request)
    chains = []
    if request.kind == "forward" or (request.forward != "off" and can_go_forward(card, request)):
        chains.append(ChainSpec(name="forward", records=records(request.steps, request.trace_every)))
    calls = 0
    if request.kind == "sample":
        chains.append(ChainSpec(name="reverse", records=records(request.steps, request.trace_every)))
        calls = network_calls(request)
    elements = request.samples * math.prod(card.shape)
    width = 2 if request.trace_dtype == "float16" else 4
    return Plan(
        entry,
        card,
        request,
        tuple(chains),
        calls,
        record_bytes=2 * elements * width + 8 * len(SCALARS) + 16,
        memory_bytes=STATES_IN_MEMORY * elements * 4 + NETWORK_MEMORY,
    )


def records(steps: int, every: int) -> int:
    """Recorded states of a chain of `steps` steps: every k-th and the last."""
    return len(range(0, steps, every)) + 1


def network_calls(request: Request) -> int:
    """Calls of the network in the reverse chain; the step to the data needs no second one."""
    solver = options.SOLVERS[request.solver]
    per_step = solver.evals_per_step or ADAPTIVE_CALLS
    return request.steps * per_step - (per_step - 1) + (solver.evals_at_start if request.steps > 1 else 0)


def can_go_forward(card: Card, request: Request) -> bool:
    """Whether there is data to noise: the request's own, or the dataset that the card names."""
    if request.source == "step":
        return False
    return request.source == "file" or card.data.dataset in DATASETS


def _check(card: Card, request: Request) -> None:
    if request.label is not None and (request.label == "each" or request.label >= len(card.labels)):
        if not card.labels:
            raise BadInput(f"'{card.name}' knows no classes: leave the label out")
        if request.label != "each":
            raise BadInput(f"'{card.name}' has the labels 0 to {len(card.labels) - 1}, found {request.label}")
    needs_data = request.source == "data" or (request.kind == "forward" and request.source == "noise")
    if needs_data and card.data.dataset not in DATASETS:
        raise BadInput(f"'{card.name}' carries no data set to draw from: give a file as the source")
    if request.kind == "forward" and request.forward == "off":
        raise BadInput("a forward run needs a forward chain: choose 'fixed' or 'markov'")
    if request.kind == "forward" and request.source == "step":
        raise BadInput("a forward run starts from data or a file, not from a recorded step")
