"""What a request will do, known before it runs and without torch: its checkpoint, its chains, its size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.listing import Entry
from diffstudio.checkpoints.tensors import ITEM_BYTES
from diffstudio.data import DATASETS
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Extra
from diffstudio.modalities.text_file import read_prompt
from diffstudio.studio.app.progress import Work
from diffstudio.studio.request.checks import check
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import RECORDED, ChainSpec

STATES_IN_MEMORY = 24  # x, x̂0, their past, noise, guidance's double batch, copies for the trace: counted in states
ADAPTIVE_CALLS = 12  # of a step that chooses its own: a guess, for the time that is left
USED_BYTES = {"float32": 4, "half": 2}  # of each weight of a loaded network
NETWORK_MEMORY = 1 << 30  # activations of one part of a batch, and the weights: ample for the networks there are


@dataclass(frozen=True)
class Plan:
    """A request resolved: sizes in bytes, what each chain costs, `weak`: autoguidance's checkpoint."""

    entry: Entry
    card: Card
    request: Request
    chains: tuple[ChainSpec, ...]
    work: tuple[Work, ...]
    record_bytes: int
    state_bytes: int
    weak: Entry | None = None

    @property
    def network_calls(self) -> int:
        """Calls of the network in all chains; a solver that chooses its own is guessed."""
        return sum(part.calls for part in self.work)

    @property
    def has_forward(self) -> bool:
        """Whether a forward chain is recorded."""
        return any(chain.name == "forward" for chain in self.chains)

    @property
    def extras(self) -> tuple[Extra, ...]:
        """What the modality records beside x_t and x̂0."""
        return self.card.meaning.kind.extras(self.card.meaning)

    @property
    def memory_bytes(self) -> int:
        """The memory that the run needs: while they are read the weights are there as they are stored, too."""
        stored = ITEM_BYTES.get(self.card.dtype, 4) * self.card.parameters
        return self.state_bytes + max(NETWORK_MEMORY, self._weight_bytes + stored)

    @property
    def device_bytes(self) -> int:
        """The memory that the run needs where the network runs, if that is not where they are read."""
        return self.state_bytes + max(NETWORK_MEMORY, self._weight_bytes)

    @property
    def _weight_bytes(self) -> int:
        """Of the loaded network; an autoencoder stays float32 also in half precision."""
        kept = min(self.card.decoder_parameters, self.card.parameters)
        halved = USED_BYTES[self.request.precision] * (self.card.parameters - kept)
        return halved + USED_BYTES["float32"] * kept

    @property
    def half(self) -> Plan | None:
        """The same in half precision; None where it is that already, or the network has no weights."""
        if self.request.precision == "half" or not options.NETWORKS[self.card.network].trained:
            return None
        return dataclasses.replace(self, request=self.request.model_copy(update={"precision": "half"}))

    @property
    def state_numbers(self) -> int:
        """Numbers of one state of all samples."""
        return self.request.samples * math.prod(self.card.shape)

    @property
    def total_bytes(self) -> int:
        """The size that the trace will have."""
        return self.record_bytes * sum(chain.records for chain in self.chains)


def make_plan(catalog: Catalog, request: Request, reasons: Mapping[str, str] | None = None) -> Plan:
    """Resolve and check a request. reasons: of `checks.unavailable`, where they are known.

    Raises:
        NotFound: no such model.  BadFile: its file is broken.  BadInput: the request does not fit the checkpoint.
    """
    entry = catalog.find(request.model)
    if entry.problem or entry.card is None:
        raise BadFile(entry.problem or f"{entry.path}: no card")
    card = entry.card
    check(card, request, reasons)
    if request.prompt and card.text is not None:
        read_prompt(request.prompt, card.text, card.shape[1])
    weak = _weak(catalog, card, request)
    count = records(request.steps_run, request.trace_every)
    chains = []
    if request.kind == "forward" or (request.forward != "off" and can_go_forward(card, request)):
        chains.append(ChainSpec(name="forward", records=count))
    if request.kind == "sample":
        chains.append(ChainSpec(name="reverse", records=count))
    fields = 4 if request.record_split else 2
    elements = request.samples * math.prod(card.shape)
    kind = card.meaning.kind
    beside = request.samples * sum(math.prod(extra.shape) for extra in kind.extras(card.meaning))
    width = 2 if request.trace_dtype == "float16" else 4
    return Plan(
        entry,
        card,
        request,
        tuple(chains),
        _work(request, [chain.name for chain in chains]),
        record_bytes=(fields * elements + beside) * width + 8 * (len(RECORDED) + len(kind.scalars)) + 16,
        state_bytes=STATES_IN_MEMORY * elements * 4,
        weak=weak,
    )


def records(steps: int, every: int) -> int:
    """Recorded states of a chain of `steps` steps: every k-th and the last."""
    return len(range(0, steps, every)) + 1


def network_calls(request: Request) -> int:
    """Calls of the network in the reverse chain; the step to the data needs no second one, and the data need none."""
    if request.kind == "forward":
        return 0
    solver, steps = options.SOLVERS[request.solver], request.steps_run
    per_step = solver.evals_per_step or ADAPTIVE_CALLS
    at_start = solver.evals_at_start if steps > 1 else 0
    ends_above = request.times[-1] > 0 if request.times else bool(request.grid_params.get("end"))
    if ends_above:
        return request.resample * steps * per_step + at_start + 1
    return request.resample * (steps * per_step - (per_step - 1)) + at_start


def inversion_calls(request: Request) -> int:
    """Calls of the network in the forward chain: none but in an inversion, which asks at each level but the data."""
    if not request.forward.startswith("invert"):
        return 0
    steps = request.steps_run
    return steps + (steps - 1 if request.forward == "invert_heun" else 0)


def _work(request: Request, chains: list[str]) -> tuple[Work, ...]:
    """The steps of each chain, and what they cost."""
    solver, steps = options.SOLVERS[request.solver], request.steps_run
    costs = {
        "forward": Work("forward", steps, inversion_calls(request)),
        # A text that no step has changed is not asked about again.
        "reverse": Work("reverse", steps, network_calls(request), bool(solver.evals_per_step) and not solver.needs),
    }
    return tuple(costs[name] for name in chains)


def can_go_forward(card: Card, request: Request) -> bool:
    """Whether there is data to noise: the request's own, or the dataset that the card names."""
    if request.source == "step":
        return False
    return request.source == "file" or card.data.dataset in DATASETS


def each_label(request: Request, count: int) -> tuple[int, ...]:
    """The classes in turn; sample i of seed s has class (s + i) mod count, as it has the picture of seed s + i."""
    return tuple((request.seed + i) % count for i in range(request.samples))


def guides(catalog: Catalog, entry: Entry) -> list[Entry]:
    """The other checkpoints that autoguidance can lead a checkpoint away from, those of the same model first."""
    card = entry.card
    if card is None:
        return []
    found = [other for model in catalog.models() for other in model.entries if other.path != entry.path]
    found = [other for other in found if other.card is not None and not _guide_problem(other.card, card)]
    return sorted(found, key=lambda other: other.card is not None and other.card.name != card.name)


def _weak(catalog: Catalog, card: Card, request: Request) -> Entry | None:
    """The checkpoint that autoguidance leads away from."""
    if request.guidance_model is None:
        return None
    entry = catalog.find(request.guidance_model)
    if entry.problem or entry.card is None:
        raise BadFile(entry.problem or f"{entry.path}: no card")
    problem = _guide_problem(entry.card, card)
    if problem:
        raise BadInput(problem)
    return entry


def _guide_problem(weak: Card, card: Card) -> str:
    """Why a checkpoint can't guide another, "" if it can."""
    if card.discrete:
        return f"guidance adds what two checkpoints predict, and '{card.name}' draws tokens: leave the weaker one out"
    told = (weak.prompts is None) == (card.prompts is None)
    if weak.shape == card.shape and weak.labels == card.labels and told:
        return ""
    return (
        f"'{weak.name}' can't guide '{card.name}': both need the same shape and the same classes, found {weak.shape} "
        f"with {len(weak.labels)} and {card.shape} with {len(card.labels)}: choose another, or leave it out"
    )
