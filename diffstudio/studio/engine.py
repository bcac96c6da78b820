"""The engine: a Request in, a Trace out. The one bridge between the studio and torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffstudio import __version__
from diffstudio.cancelling import Cancelled, cancellable
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.finding import stamp
from diffstudio.checkpoints.loading import Left, watched
from diffstudio.errors import BadInput, NoRoom
from diffstudio.studio.app.history import colours_folder
from diffstudio.studio.app.memory import check_room, free_memory, size
from diffstudio.studio.app.progress import Clock, Progress
from diffstudio.studio.compute.devices import free_on, pick_device
from diffstudio.studio.compute.recording import SPLIT, Recorder
from diffstudio.studio.compute.torch_loading import load_libraries, wait_briefly
from diffstudio.studio.request.checks import likelihood_problem
from diffstudio.studio.request.plan import Plan, make_plan
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import MAX_NUMBERS, SCALARS, FieldSpec, TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

if TYPE_CHECKING:
    from diffstudio.diffusion.chain import Step
    from diffstudio.networks.model import Model
    from diffstudio.studio.compute.chains import Networks
    from diffstudio.studio.compute.scoring import Judged

DEFAULT_BUDGET = 4 << 30


class Engine:
    """Keeps the loaded models; everything else is in the request. Not thread-safe: one thread runs it."""

    def __init__(self, catalog: Catalog, colours: Path | None = None) -> None:
        """colours: where those of latents are kept; None is the user's cache."""
        self.catalog = catalog
        self._colours = colours
        self._models: dict[tuple[Path, int, int, str, str], Model] = {}
        self._speed: dict[str, float] = {}  # seconds of a network call for one sample, by model

    def plan(self, request: Request) -> Plan:
        """What the request will do; cheap, without torch. Errors as `make_plan`."""
        return make_plan(self.catalog, request)

    def estimate_seconds(self, request: Request) -> float | None:
        """Seconds that the reverse chain will take, from the last run of that model; None before one."""
        speed = self._speed.get(request.model)
        return None if speed is None else speed * request.samples * self.plan(request).network_calls

    @staticmethod
    def warm_up(threads: int = 0) -> None:
        """Import torch, so that the first run does not wait for it; 0 threads lets torch decide."""
        wait_briefly()
        load_libraries()
        import torch

        import diffstudio.studio.compute.chains  # noqa: F401

        if threads:
            torch.set_num_threads(threads)

    @staticmethod
    def devices() -> list[str]:
        """The accelerators that torch found, by name; ask after `warm_up`."""
        import torch

        found = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        return [*found, "mps"] if torch.backends.mps.is_available() else found

    def run(
        self,
        request: Request,
        trace_path: Path,
        budget_bytes: int = DEFAULT_BUDGET,
        stop: Callable[[], bool] = lambda: False,
        loading: Callable[[float], None] = lambda share: None,
    ) -> Iterator[Progress]:
        """Run a request and record it; yields after the header is written and after every step.

        Closing the iterator, or `stop` turning true, ends the run before the next network call; the trace keeps what
        is recorded. loading: is told how much of the weights is read, 0 to 1; `stop` holds then too.

        Raises:
            BadInput, BadFile, NotFound: as `plan`, and what loading the weights or the source finds.
            NoRoom: the trace or the memory would not fit.
        """
        plan = self.plan(request)
        half = None if plan.half is None else plan.half.memory_bytes
        check_room(plan.total_bytes, plan.memory_bytes, trace_path.parent, budget_bytes, half)
        if plan.state_numbers > MAX_NUMBERS:
            raise NoRoom(
                f"the states of {request.samples:,} samples have {plan.state_numbers:,} numbers, at most "
                f"{MAX_NUMBERS:,} can be recorded and shown: draw fewer samples"
            )
        self._check_device(plan)
        try:
            with watched(loading, stop):
                networks = self._networks(plan)
        except Left:
            return
        from diffstudio.studio.compute.chains import Stopped, chains
        from diffstudio.studio.compute.prepare import prepare

        try:
            with cancellable(stop):
                prepared = prepare(plan, networks.model)
        except Cancelled:
            return
        plan = self._with_colours(plan, networks.model)
        header = _header(plan, str(networks.model.device), prepared.labels)
        total = request.steps_run * len(plan.chains)
        with TraceWriter(trace_path, header) as writer:
            recorder = Recorder(writer, request.trace_every, request.steps_run, header.fields, plan.card.meaning)
            clock = Clock(total)
            yield clock.progress(0, 0)
            try:
                done = 0
                for step in chains(plan, networks, prepared, stop):
                    recorder.add(step)
                    done += step.index > 0
                    self._learn_speed(plan, clock, step)
                    yield clock.progress(done, recorder.records)
            except Stopped:
                return

    def decode(self, trace: Trace, records: Sequence[int], out: Path) -> Generator[int, None, None]:
        """Records of a latent model's run as a trace of pictures; yields how many are done, to stop is to leave it.

        Raises:
            BadInput, BadFile, NotFound: the model of the run is gone or can't be loaded.  NoRoom: the disk is full.
        """
        request = Request.model_validate(trace.header.request)
        model = self._load(self.catalog.find(request.model).path, request)
        from diffstudio.studio.compute.decoding import decode_trace

        yield from decode_trace(trace, model, records, out)

    def pictures(self, request: Request, states: np.ndarray) -> np.ndarray:
        """What the request's model decodes latents to: (B, C, h, w) → (B, 1 or 3, H, W) float32.

        Raises:
            BadInput, BadFile, NotFound: the model is gone, can't be loaded, or has other latents.
        """
        model = self._load(self.catalog.find(request.model).path, request)
        if model.card.shape != states.shape[1:]:
            raise BadInput(
                f"'{request.model}' is another model now: its states are of shape {model.card.shape}, those of this "
                f"run of {states.shape[1:]}"
            )
        from diffstudio.studio.compute.decoding import decoded

        return decoded(model, states)

    def score(
        self, request: Request, points: np.ndarray, log_snr: float, stop: Callable[[], bool] = lambda: False
    ) -> np.ndarray:
        """The score ∇ log p_t at points of the plane, from the model's denoiser: (N, 2) → (N, 2).

        ∇ log p_t(x) = (a·x̂0 − x)/s² (Tweedie), on the request's path, class and guidance.

        Raises:
            BadInput: at the data itself, where the score is not defined.
        """
        if log_snr == math.inf:  # the path's own inverse would find a level just beside it
            raise BadInput("the score is not defined at the data itself: choose an earlier step")
        plan = self.plan(request)
        networks = self._networks(plan)
        from diffstudio.studio.compute.scoring import score

        return score(plan, networks, points, log_snr, stop)

    def log_density(self, request: Request, points: np.ndarray, stop: Callable[[], bool] = lambda: False) -> np.ndarray:
        """log p(x) at points of the plane through the probability-flow ODE: (N, 2) → (N,) float64, in nats.

        On the request's path, class and guidance; coarse, for a map (σ_min 0.02).
        """
        plan = self.plan(request)
        networks = self._networks(plan)
        from diffstudio.studio.compute.scoring import log_density

        return log_density(plan, networks, points, stop)

    def likelihood(
        self,
        request: Request,
        split: str = "train",
        steps: int = 40,
        probes: int = 8,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Judged]:
        """log p of the request's data (its source, samples, label, guidance), with the result in the last step.

        Points: the exact trace. Images: Hutchinson's estimate with `probes` probes, dequantised, in bits per dimension.
        split: "train" or "held-out" of the model's data set.

        Raises:
            BadInput, BadFile, NotFound: as `plan`, and what loading the weights or the data finds.
        """
        plan = self.plan(request)
        problem = likelihood_problem(plan.card)
        if problem:
            raise BadInput(problem)
        try:
            with watched(lambda share: None, stop):
                networks = self._networks(plan)
        except Left:
            return iter(())
        from diffstudio.studio.compute.scoring import likelihood

        return likelihood(plan, networks, split, steps, probes, stop)

    def _check_device(self, plan: Plan) -> None:
        """Say before the weights are read that the GPU has no room for them.

        Raises:
            NoRoom: it has not; half precision and the CPU are named where they have.
        """
        place = pick_device(plan.request.device)
        free = free_on(place)
        wanted = (plan.entry.path, place, plan.request.precision)
        loaded = any((key[0], *key[-2:]) == wanted for key in self._models)
        if free is None or loaded or plan.device_bytes <= free:
            return
        memory = free_memory()
        other = "cpu" if memory is None or plan.memory_bytes <= memory else ""
        half = plan.half is not None and plan.half.device_bytes <= free
        ways = ["run it in half precision, "] * half + ["run it on the CPU, "] * bool(other)
        way = f"{''.join(ways)}or draw fewer samples" if ways else "draw fewer samples"
        raise NoRoom(
            f"the run needs about {size(plan.device_bytes)} on {place}, but only {size(free)} is free there: {way}",
            other,
            half,
        )

    def _with_colours(self, plan: Plan, model: Model) -> Plan:
        """The plan, its card with the colours of latents; everything that draws reads them from the trace."""
        if not plan.card.decoded or plan.card.colours:
            return plan
        from diffstudio.studio.compute.colours import colours_of

        found = colours_of(model, plan.entry.path, self._colours or colours_folder())
        return dataclasses.replace(plan, card=plan.card.model_copy(update={"colours": found}))

    def _networks(self, plan: Plan) -> Networks:
        request = plan.request
        found = [self._load(entry.path, request) for entry in (plan.entry, plan.weak) if entry is not None]
        from diffstudio.studio.compute.chains import Networks

        told = (request.prompt, request.negative_prompt, request.distilled_guidance)
        return Networks(*(model.prompted(*told) for model in found))

    def _load(self, path: Path, request: Request) -> Model:
        from diffstudio.networks.model import load_file

        place = pick_device(request.device)
        try:
            key = (path, *stamp(path), place, request.precision)
        except OSError as error:
            raise BadInput(f"the checkpoint {path} is gone: {error.strerror}") from error
        if key not in self._models:
            while len(self._models) >= 4:
                self._models.pop(next(iter(self._models)))
            self._models[key] = load_file(path, place, request.precision)
        return self._models[key]

    def _learn_speed(self, plan: Plan, clock: Clock, step: Step) -> None:
        if step.chain == "reverse" and step.nfe > 1:
            per_call = clock.since_first_call(step.nfe)
            if per_call is not None:
                self._speed[plan.request.model] = per_call / plan.request.samples


def _header(plan: Plan, device: str, labels: tuple[int | None, ...]) -> TraceHeader:
    import torch

    shape = (plan.request.samples, *plan.card.shape)
    dtype = plan.request.trace_dtype
    names = ("xt", "x0_hat", *(SPLIT if plan.request.record_split else ()))
    extras = ((extra.name, (plan.request.samples, *extra.shape), extra.unit) for extra in plan.extras)
    fields = (*((name, shape, "data") for name in names), *extras)
    return TraceHeader(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        request=plan.request.model_dump(mode="json"),
        card=plan.card.model_dump(mode="json"),
        fields=tuple(FieldSpec(name=name, shape=shape, dtype=dtype, unit=unit) for name, shape, unit in fields),
        scalars=(*SCALARS, *plan.card.meaning.kind.scalars),
        chains=plan.chains,
        versions={"diffstudio": __version__, "torch": torch.__version__, "numpy": np.__version__},
        device=device,
        checkpoint_sha256=plan.card.sha256,
        labels=labels,
    )
