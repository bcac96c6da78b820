"""The engine: a Request in, a Trace out. The one bridge between the studio and torch."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffstudio import __version__
from diffstudio.analysis.fields import SPLIT
from diffstudio.cancelling import Cancelled, cancellable
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.finding import stamp
from diffstudio.checkpoints.hashing import Hashing, read_meanwhile
from diffstudio.checkpoints.listing import Entry
from diffstudio.checkpoints.loading import Left, watched
from diffstudio.errors import BadFile, BadInput, NoRoom
from diffstudio.studio.app.caches import colours_folder
from diffstudio.studio.app.memory import check_room, free_memory, size
from diffstudio.studio.app.progress import Clock, Progress
from diffstudio.studio.app.speeds import Speeds
from diffstudio.studio.compute.devices import free_on, pick_device
from diffstudio.studio.compute.recording import Recorder
from diffstudio.studio.compute.torch_loading import load_libraries, wait_briefly
from diffstudio.studio.made_of import files_used
from diffstudio.studio.masks import recorded
from diffstudio.studio.request.checks import likelihood_problem
from diffstudio.studio.request.plan import Plan, make_plan
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import MAX_NUMBERS, RECORDED, FieldSpec, TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

if TYPE_CHECKING:
    from diffstudio.diffusion.chain import Step
    from diffstudio.networks.model import Model
    from diffstudio.studio.compute.chains import Networks
    from diffstudio.studio.compute.kept_pixels import Kept
    from diffstudio.studio.compute.prepare import Prepared
    from diffstudio.studio.compute.scoring import Judged

log = logging.getLogger("diffstudio")
DEFAULT_BUDGET = 4 << 30


class Engine:
    """Keeps the loaded models; everything else is in the request. Not thread-safe: one thread runs it."""

    def __init__(self, catalog: Catalog, colours: Path | None = None, speeds: Speeds | None = None) -> None:
        """colours: where those of latents are kept; None is the user's cache. speeds: what is known of this machine."""
        self.catalog = catalog
        self._colours = colours
        self._speeds = speeds or Speeds()
        self._processor_alone = False  # torch has been asked, and computes on the processor by itself
        self._models: dict[tuple[Path, int, int, str, str], Model] = {}
        self._hashes: dict[tuple[Path, str], str] = {}  # of weights, by their stamps
        self._kept: tuple[TraceHeader, Kept | None] | None = None  # of the run that was decoded last

    def plan(self, request: Request, reasons: Mapping[str, str] | None = None) -> Plan:
        """What the request will do; cheap, without torch. `reasons` and errors as `make_plan`."""
        return make_plan(self.catalog, request, reasons)

    def estimate_seconds(self, request: Request, plan: Plan | None = None) -> float | None:
        """Seconds that the reverse chain will take, from the last run of that model, else from its size; None: unknown.

        plan: of the request, where there is one.
        """
        plan = plan or self.plan(request)
        one = self._speeds.call_seconds(plan, request.device == "cpu" or self._processor_alone)
        return None if one is None else one * request.samples * plan.network_calls

    def calibrate(self) -> None:
        """Measure once how fast the processor is, so that a first run can be estimated; call after `warm_up`."""
        self._processor_alone = not self.devices()
        if not self._speeds.calibrated:
            from diffstudio.studio.compute.calibration import reference_seconds

            self._speeds.calibrate(reference_seconds())

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
        with self._hashing(plan.entry, stop) as sha256:
            try:
                with watched(loading, stop):
                    networks = self._networks(plan)
            except Left:
                return
            plan = self._renewed(plan)
            from diffstudio.studio.compute.chains import Stopped, chains
            from diffstudio.studio.compute.prepare import prepare

            try:
                with cancellable(stop):
                    prepared = prepare(plan, networks.model)
            except Cancelled:
                return
            plan = self._with_colours(plan, networks.model)
            own = self._hash(plan.entry, sha256)
            files = files_used(request, own, plan.weak, self.catalog.cache, stop)
            if stop():
                return
            header = _header(plan, str(networks.model.device), prepared, files)
        with TraceWriter(trace_path, header) as writer:
            recorder = Recorder(writer, request.trace_every, request.steps_run, header.fields, plan.card.meaning)
            clock = Clock(plan.work)
            remark = ""
            yield _progress(clock, recorder)
            try:
                for step in chains(plan, networks, prepared, stop):
                    recorder.add(step)
                    clock.count(step.chain, step.index, step.nfe)
                    if clock.seconds_a_call is not None:
                        self._speeds.learn(plan, clock.seconds_a_call / request.samples)
                    remark = remark or step.remark
                    yield _progress(clock, recorder, step, remark)
            except Stopped:
                return
            finally:
                self._speeds.keep()

    def decode(self, trace: Trace, records: Sequence[int], out: Path) -> Generator[int, None, None]:
        """Records of a latent model's run as a trace of pictures; yields how many are done, to stop is to leave it.

        Raises:
            BadInput, BadFile, NotFound: the model of the run is gone or can't be loaded.  NoRoom: the disk is full.
        """
        request = Request.model_validate(trace.header.request)
        model = self._load(self.catalog.find(request.model).path, request)
        from diffstudio.studio.compute.decoding import decode_trace
        from diffstudio.studio.compute.kept_pixels import kept_of

        yield from decode_trace(trace, model, records, out, kept_of(trace.header, model.card))

    def pictures(
        self, request: Request, states: np.ndarray, samples: Sequence[int] = (), final: TraceHeader | None = None
    ) -> np.ndarray:
        """What the request's model decodes latents to: (B, C, h, w) → (B, 1 or 3, H, W) float32.

        final: of the run whose clean end they are; then its samples have their source's own pixels where it is kept.

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

        found = decoded(model, states)
        kept = None if final is None else self._kept_of(final, model)
        return found if kept is None else kept.put_back(found, samples)

    def _kept_of(self, header: TraceHeader, model: Model) -> Kept | None:
        """Read once for all samples of a run."""
        if self._kept is None or self._kept[0] is not header:
            from diffstudio.studio.compute.kept_pixels import kept_of

            self._kept = header, kept_of(header, model.card)
        return self._kept[1]

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

    def _renewed(self, plan: Plan) -> Plan:
        """The plan with what the first loading has found out of a checkpoint, its size among it. Errors as `plan`."""
        if not plan.card.untold:
            return plan
        self.catalog.renew(plan.entry.path)
        return self.plan(plan.request)

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

    def _hashing(self, entry: Entry, stop: Callable[[], bool]) -> contextlib.AbstractContextManager[Callable[[], str]]:
        """While the weights are loaded those of other tools are hashed; our own say their hash themselves.

        Gives a function that waits for the hash. What can't be hashed has none: a run is not refused for that.
        """
        known = entry.card.sha256 if entry.card else ""
        if not known:
            try:
                hashing = Hashing(entry.path, self.catalog.cache)
                known = hashing.digest or self._hashes.get((entry.path, hashing.stamp), "")
                if not known:
                    return read_meanwhile(hashing, stop)
            except BadFile as error:
                log.warning("%s", error)
        return contextlib.nullcontext(lambda: known)

    def _hash(self, entry: Entry, wait: Callable[[], str]) -> str:
        """What the function of `_hashing` gives, kept for the next run."""
        try:
            found = wait()
            self._hashes[entry.path, Hashing(entry.path).stamp] = found
        except BadFile as error:
            log.warning("%s", error)
            return ""
        self.catalog.keep_hash(entry, found)
        return found

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


def _progress(clock: Clock, recorder: Recorder, step: Step | None = None, remark: str = "") -> Progress:
    """How far a run is, at a step of it or before the first."""
    newest = {} if step is None else {"chain": step.chain, "step": step.index, "t": step.level.t}
    measured = (clock.done, clock.total, recorder.records, clock.seconds, clock.eta, clock.steps_per_second)
    return Progress(*measured, **newest, not_finite=recorder.not_finite, remark=remark)


def _header(plan: Plan, device: str, prepared: Prepared, files: dict[str, str]) -> TraceHeader:
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
        scalars=(*RECORDED, *plan.card.meaning.kind.scalars),
        chains=plan.chains,
        versions={"diffstudio": __version__, "torch": torch.__version__, "numpy": np.__version__},
        device=device,
        checkpoint_sha256=files.get("checkpoint", ""),
        sha256=files,
        notes=tuple(note[:2000] for note in prepared.notes[:20]),
        mask=None if prepared.drawn_anew is None else recorded(prepared.drawn_anew),
        labels=prepared.labels,
    )
