"""The engine on a network that knows its data: what is recorded, and when a run stops or is refused."""

import dataclasses
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from known_network import MEANS, STD, Known, save_known

from diffstudio import data
from diffstudio.analysis.rate import steps_per_second
from diffstudio.checkpoints.catalog import Catalog, default_catalog
from diffstudio.errors import BadInput, DiffStudioError, NoRoom, NotFound
from diffstudio.studio.app import memory as room
from diffstudio.studio.app import progress
from diffstudio.studio.compute.devices import pick_device
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.plan import make_plan
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace


def noise(seed, samples):
    """What sample i of that seed starts from."""
    return torch.stack([torch.randn(2, generator=torch.Generator().manual_seed(seed + i)) for i in range(samples)])


def test_progress_counts_the_steps_that_ask_the_network(engine, request_of, tmp_path):
    """Not those of a forward chain, which cost nothing: half of the bar was full at once, the time left 4 to 100 times
    too short."""
    found = list(engine.run(request_of(), tmp_path / "a.trace"))
    assert [p.records for p in found] == list(range(15))  # the header, then seven states of each chain
    assert [p.done for p in found] == [0] * 8 + [*range(7)]
    assert {p.total for p in found} == {6}
    assert [(p.chain, p.step) for p in found[1:]] == [(chain, k) for chain in ("forward", "reverse") for k in range(7)]
    assert all(p.eta is None for p in found[:9])
    assert found[-1].eta == 0
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(found))
    assert found[-1].steps_per_second > 0


@pytest.mark.parametrize(
    ("fields", "done"),
    [
        ({"kind": "forward", "source": "data"}, [0, *range(7)]),
        ({"source": "data", "forward": "invert"}, [0, *range(7), *range(6, 13)]),
        ({"forward": "off"}, [0, *range(7)]),
    ],
)
def test_a_chain_that_is_alone_or_asks_the_network_counts(engine, request_of, tmp_path, fields, done):
    found = list(engine.run(request_of(**fields), tmp_path / "a.trace"))
    assert [p.done for p in found] == done
    assert {p.total for p in found} == {done[-1]}


def test_the_trace_can_be_read_while_the_run_goes(engine, request_of, tmp_path):
    run = engine.run(request_of(), tmp_path / "a.trace")
    next(run)
    with Trace.open(tmp_path / "a.trace") as trace:
        for k, now in enumerate(run, 1):
            assert trace.refresh() == now.records == k
        assert trace.complete
        assert trace.damaged == 0


def test_both_chains_are_recorded_on_the_path(record):
    trace = record(label=1)
    t = np.arange(7) / 6
    np.testing.assert_allclose(trace.scalars("t"), [*t, *t[::-1]], atol=1e-12)
    np.testing.assert_allclose(trace.scalars("a"), 1 - trace.scalars("t"), atol=1e-12)
    assert [trace.chain(k) for k in range(14)] == [0] * 7 + [1] * 7
    x0, _ = data.sample("shapes-2d", [1] * 3, [7, 8, 9])
    eps = noise(7, 3).numpy()
    for k in range(7):
        np.testing.assert_allclose(trace.array(k, "xt"), (1 - t[k]) * x0 + t[k] * eps, atol=1e-6)
        np.testing.assert_array_equal(trace.array(k, "x0_hat"), x0)
    np.testing.assert_array_equal(trace.array(7, "xt"), eps)
    np.testing.assert_allclose(trace.array(7, "x0_hat"), np.full((3, 2), MEANS[1]), atol=1e-6)  # nothing is known yet
    np.testing.assert_array_equal(trace.array(13, "xt"), trace.array(13, "x0_hat"))


@pytest.mark.parametrize("label", [0, 1, None, "each"])
def test_the_samples_are_those_of_the_flow_from_the_noise_of_each_seed(record, label):
    # The probability-flow ODE between Gaussians is linear: x_0 = m + c·ε.
    trace = record(label=label, steps=100, forward="off", trace_every=100)
    classes = {"each": [1, 0, 1], None: [2, 2, 2]}.get(label, [label] * 3)
    exact = np.array(MEANS)[classes][:, None] + STD * noise(7, 3).numpy()
    np.testing.assert_allclose(trace.array(len(trace) - 1, "xt"), exact, atol=2e-3)


def test_the_header_says_what_was_run(record, folder):
    trace = record(label="each", seed=1, forward="off")
    assert Request.model_validate(trace.header.request).steps == 6
    assert trace.header.card["name"] == "known"
    assert (trace.header.device, trace.header.labels) == ("cpu", (1, 0, 1))
    assert trace.header.versions["torch"] == torch.__version__
    assert trace.header.checkpoint_sha256 == trace.header.card["sha256"] != ""


@pytest.mark.parametrize(("every", "steps"), [(1, [0, 1, 2, 3, 4, 5, 6]), (4, [0, 4, 6]), (6, [0, 6]), (99, [0, 6])])
def test_every_kth_step_and_the_last_are_recorded(record, every, steps):
    trace = record(trace_every=every)
    assert trace.scalars("step").tolist() == steps * 2
    assert trace.complete


def test_half_precision_is_the_same_run_rounded(record):
    full, half = record(), record(trace_dtype="float16")
    for k in range(len(full)):
        np.testing.assert_array_equal(half.array(k, "xt"), full.array(k, "xt").astype(np.float16).astype(np.float32))


# ── stopping ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("solver", "calls_per_step"), [("euler", 1), ("heun", 2)])
def test_a_stop_holds_before_the_next_network_call(engine, request_of, tmp_path, solver, calls_per_step):
    stopped = []
    run = engine.run(request_of(solver=solver, forward="off"), tmp_path / "a.trace", stop=lambda: bool(stopped))
    for now in run:
        if now.done == 2:
            before = Known.calls
            stopped.append(True)
    assert Known.calls == before == 2 * calls_per_step + 1
    with Trace.open(tmp_path / "a.trace") as trace:
        assert (len(trace), trace.complete, trace.damaged) == (3, False, 0)


def test_a_stop_within_a_step_of_two_calls_holds_between_them(engine, request_of, tmp_path):
    request = request_of(solver="heun", forward="off")
    list(engine.run(request, tmp_path / "a.trace", stop=lambda: Known.calls == 2))
    assert Known.calls == 2


def test_a_stop_in_the_forward_chain_makes_no_network_call(engine, request_of, tmp_path):
    found = []
    for now in engine.run(request_of(), tmp_path / "a.trace", stop=lambda: len(found) > 3):
        found.append(now)
    assert Known.calls == 0
    with Trace.open(tmp_path / "a.trace") as trace:
        assert 0 < len(trace) < 7


def test_to_close_the_run_is_to_stop_it(engine, request_of, tmp_path):
    run = engine.run(request_of(forward="off"), tmp_path / "a.trace")
    for now in run:
        if now.records == 3:
            break
    run.close()
    assert Known.calls == 3
    with Trace.open(tmp_path / "a.trace") as trace:
        assert len(trace) == 3


# ── what is refused, and before what ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"budget_bytes": 1000}, r"^the trace would take 2\.\d+ kB, the budget is 1 kB: record every k-th step"),
        (
            {"free_disk": 1 << 20},
            r"^the trace would take .*, but .* has only 1\.05 MB free, and 67\.1 MB must stay free there: ",
        ),
        ({"free_memory": 1 << 20}, r"^the run needs about .* of memory, but only 1\.05 MB is free$"),
    ],
)
def test_no_room_is_known_before_anything_is_written_or_loaded(
    engine, request_of, tmp_path, monkeypatch, limits, sentence
):
    for name in ("free_disk", "free_memory"):
        if name in limits:
            monkeypatch.setattr(room, name, lambda *_, found=limits[name]: found)
    monkeypatch.setattr(Engine, "_load", lambda *_: pytest.fail("the weights were loaded"))
    runs = tmp_path / "runs"
    runs.mkdir()
    with pytest.raises(NoRoom, match=sentence):
        next(engine.run(request_of(), runs / "a.trace", **{k: v for k, v in limits.items() if k == "budget_bytes"}))
    assert list(runs.iterdir()) == []


def test_a_trace_of_exactly_the_budget_is_run(engine, request_of, tmp_path):
    budget = engine.plan(request_of()).total_bytes
    list(engine.run(request_of(), tmp_path / "a.trace", budget))
    with Trace.open(tmp_path / "a.trace") as trace:
        assert trace.complete
    with pytest.raises(NoRoom):
        next(engine.run(request_of(), tmp_path / "b.trace", budget - 1))


def test_a_checkpoint_deleted_before_the_run_is_one_sentence(engine, request_of, tmp_path, folder):
    engine.plan(request_of())
    (folder / "known@5.safetensors").unlink()
    with pytest.raises(BadInput, match=r"^the checkpoint .*known@5\.safetensors is gone: No such file"):
        next(engine.run(request_of(), tmp_path / "a.trace"))
    assert not (tmp_path / "a.trace").exists()


def test_a_checkpoint_deleted_in_the_middle_of_a_run_costs_nothing(engine, request_of, tmp_path, folder):
    run = engine.run(request_of(), tmp_path / "a.trace")
    next(run)
    (folder / "known@5.safetensors").unlink()
    for _ in run:
        pass
    with Trace.open(tmp_path / "a.trace") as trace:
        assert trace.complete


def test_a_checkpoint_that_changed_is_loaded_again(engine, request_of, record, folder):
    before = record(label=0, forward="off").array(6, "xt")
    path = save_known(folder, means=(5.0, 5.0, 5.0))
    os.utime(path, ns=(1, 1))
    np.testing.assert_allclose(record(label=0, forward="off").array(6, "xt"), before + 6, atol=1e-5)


def test_few_models_stay_in_memory(folder, tmp_path, request_of):
    for step in range(10, 16):
        save_known(folder, step=step)
    engine = Engine(Catalog([("test", folder)]))
    for step in range(10, 16):
        list(engine.run(request_of(model=f"known@{step}", steps=1), tmp_path / "a.trace"))
    assert len(engine._models) == 4


def test_an_unknown_model_and_device_are_named(engine, request_of, tmp_path):
    with pytest.raises(NotFound, match=r"there is no model 'knwon': did you mean known\?"):
        next(engine.run(request_of(model="knwon"), tmp_path / "a.trace"))
    with pytest.raises(BadInput, match="device 'abacus' can't be used here"):
        next(engine.run(request_of(device="abacus"), tmp_path / "a.trace"))
    assert pick_device("cpu") == "cpu"
    assert pick_device("auto") in ("cpu", "cuda")


def test_a_target_that_can_not_be_written_is_one_sentence(engine, request_of, tmp_path):
    with pytest.raises(DiffStudioError, match="can't write the trace"):
        next(engine.run(request_of(), tmp_path / "nowhere" / "a.trace"))


# ── how long it will take ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def slow(monkeypatch):
    """A network that takes half a second for a call, of a clock that nothing else moves."""
    now = [100.0]
    call = Known.forward

    def forward(self, *given):
        now[0] += 0.5
        return call(self, *given)

    monkeypatch.setattr(Known, "forward", forward)
    monkeypatch.setattr("diffstudio.studio.app.progress.time.monotonic", lambda: now[0])


def test_the_time_a_run_takes_is_known_from_the_last_one(engine, request_of, tmp_path, slow):
    assert engine.estimate_seconds(request_of()) is None
    list(engine.run(request_of(steps=20), tmp_path / "a.trace"))
    assert engine.estimate_seconds(request_of(steps=20)) == pytest.approx(10)
    assert engine.estimate_seconds(request_of(steps=40, samples=6)) == pytest.approx(40)
    assert engine.estimate_seconds(request_of(steps=20, solver="heun")) == pytest.approx(19.5)
    assert engine.estimate_seconds(request_of(steps=20, source="data", strength=0.5)) == pytest.approx(5)
    assert engine.estimate_seconds(request_of(steps=20, source="data", forward="invert")) == pytest.approx(20)


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        # The first call is made when the first state is there, and the last step, to the data, needs none.
        ({"forward": "off"}, [None, None, 2.0, 1.5, 1.0, 0.5, 0.0, 0.0]),
        ({}, [None] * 9 + [2.0, 1.5, 1.0, 0.5, 0.0, 0.0]),
        ({"forward": "off", "solver": "heun"}, [None, None, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0]),
        ({"source": "data", "forward": "invert"},
         [None, None, None, *(0.5 * k for k in (10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0))]),
    ],
)  # fmt: skip
def test_the_time_left_is_that_of_the_network_calls_to_come(engine, request_of, tmp_path, slow, fields, left):
    found = [p.eta for p in engine.run(request_of(**fields), tmp_path / "a.trace")]
    assert found == pytest.approx(left)


def test_where_a_solver_chooses_its_calls_the_time_left_follows_those_it_made(engine, request_of, tmp_path, slow):
    found = list(engine.run(request_of(forward="off", solver="rk45"), tmp_path / "a.trace"))
    with Trace.open(tmp_path / "a.trace") as trace:
        made = trace.scalars("nfe")
    for k in range(2, 6):
        assert found[k + 1].eta == pytest.approx(0.5 * made[k] * (6 - k) / k)
    assert found[-1].eta == 0


def test_steps_per_second_are_the_same_wherever_they_are_told(engine, request_of, tmp_path, slow, monkeypatch):
    monkeypatch.setattr("diffstudio.studio.compute.recording.time.monotonic", progress.time.monotonic)
    path = tmp_path / "a.trace"
    *_, last = engine.run(request_of(), path)
    with Trace.open(path) as trace:
        assert steps_per_second(trace) == pytest.approx(last.steps_per_second) == pytest.approx(2)


# ── the score ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [None, {"name": "vp_linear"}, {"name": "ve"}])
@pytest.mark.parametrize(("label", "mean"), [(0, MEANS[0]), (1, MEANS[1]), (None, MEANS[2])])
@pytest.mark.parametrize("log_snr", [-3.0, 0.0, 4.0])
def test_the_score_is_that_of_the_noised_gaussian(engine, request_of, path, label, mean, log_snr):
    points = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32) * 2
    found = engine.score(request_of(label=label, path=path), points, log_snr)
    sigma = np.exp(-log_snr / 2)  # s/a
    # What each path makes of that: flow a = 1/(1 + σ), VP a = 1/√(1 + σ²), VE a = 1.
    a = {None: 1 / (1 + sigma), "vp_linear": 1 / np.hypot(1, sigma), "ve": 1.0}[path and path["name"]]
    exact = -(points - a * mean) / (a**2 * STD**2 + (a * sigma) ** 2)
    np.testing.assert_allclose(found, exact, rtol=2e-3, atol=2e-3)


def test_the_score_at_the_data_is_refused(engine, request_of):
    with pytest.raises(BadInput, match="not defined at the data itself"):
        engine.score(request_of(), np.zeros((1, 2), np.float32), float("inf"))


# ── torch ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", ["Engine.warm_up()", "pick_device('cpu')"])
@pytest.mark.parametrize(("own", "found"), [(None, "2000"), ("7", "7")])
def test_how_long_threads_spin_is_said_before_torch_is_imported_unless_the_user_has(first, own, found):
    code = (
        "import os, sys\n"
        "from diffstudio.studio.compute.devices import pick_device\nfrom diffstudio.studio.engine import Engine\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'torch': print(os.environ.get('GOMP_SPINCOUNT')); sys.exit()\n"
        f"sys.meta_path.insert(0, Watch())\n{first}"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    environment |= {} if own is None else {"GOMP_SPINCOUNT": own}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found


# ── loading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_is_left_while_its_weights_are_read(engine, request_of, tmp_path, monkeypatch):
    shares = []
    monkeypatch.setattr("diffstudio.checkpoints.loading.BLOCK", 100)
    steps = list(engine.run(request_of(), tmp_path / "a.trace", stop=lambda: bool(shares), loading=shares.append))
    assert steps == [] and len(shares) == 1 and 0 < shares[0] < 1
    assert not (tmp_path / "a.trace").exists()
    (engine.run(request_of(), tmp_path / "a.trace", loading=shares.append)).__next__()
    assert shares[-1] == 1.0, "and the next run loads them"


def test_a_gpu_without_room_is_known_before_loading_and_the_cpu_is_offered(engine, request_of, tmp_path, monkeypatch):
    monkeypatch.setattr("diffstudio.studio.engine.pick_device", lambda name: "cuda:0")
    monkeypatch.setattr("diffstudio.studio.engine.free_on", lambda place: 1 << 20)
    monkeypatch.setattr(Engine, "_load", lambda *_: pytest.fail("the weights were loaded"))
    with pytest.raises(NoRoom, match=r"on cuda:0, but only 1\.05 MB is free there: run it on the CPU") as caught:
        next(engine.run(request_of(), tmp_path / "a.trace"))
    assert caught.value.device == "cpu"
    monkeypatch.setattr("diffstudio.studio.engine.free_memory", lambda: 1 << 20)
    with pytest.raises(NoRoom, match=r"free there: draw fewer samples$") as caught:
        next(engine.run(request_of(), tmp_path / "a.trace"))
    assert caught.value.device == ""


def test_an_autoencoder_is_counted_whole_in_half_precision_too(engine, request_of):
    plan = make_plan(engine.catalog, request_of())
    card = plan.card.model_copy(update={"parameters": 3 * 10**9, "decoder_parameters": 10**9, "dtype": "F16"})
    whole = dataclasses.replace(plan, card=card)
    assert whole.half is not None
    assert whole.device_bytes - whole.state_bytes == 12 * 10**9
    assert whole.half.device_bytes - whole.state_bytes == (2 * 2 + 4) * 10**9
    assert whole.half.memory_bytes - whole.half.device_bytes == 6 * 10**9


def test_half_precision_is_offered_where_it_fits_and_float32_does_not(engine, request_of, tmp_path, monkeypatch):
    def large(request):
        plan = make_plan(engine.catalog, request)
        card = plan.card.model_copy(update={"parameters": 10**9, "dtype": "F16"})
        return dataclasses.replace(plan, card=card)

    whole = large(request_of())
    assert whole.half is not None and whole.half.half is None
    assert whole.device_bytes - whole.half.device_bytes == whole.memory_bytes - whole.half.memory_bytes == 2 * 10**9
    monkeypatch.setattr(engine, "plan", large)
    monkeypatch.setattr("diffstudio.studio.app.memory.free_memory", lambda: 5 * 10**9)
    monkeypatch.setattr(Engine, "_load", lambda *_: pytest.fail("the weights were loaded"))
    with pytest.raises(NoRoom, match="is free: run it in half precision, which needs about 4 GB") as caught:
        next(engine.run(request_of(), tmp_path / "a.trace"))
    assert (caught.value.device, caught.value.half) == ("", True)
    monkeypatch.setattr("diffstudio.studio.app.memory.free_memory", lambda: 9 * 10**9)
    monkeypatch.setattr("diffstudio.studio.engine.free_memory", lambda: 9 * 10**9)
    monkeypatch.setattr("diffstudio.studio.engine.pick_device", lambda name: "cuda:0")
    monkeypatch.setattr("diffstudio.studio.engine.free_on", lambda place: 3 * 10**9)
    with pytest.raises(NoRoom, match=r"run it in half precision, run it on the CPU, or draw fewer samples$") as caught:
        next(engine.run(request_of(), tmp_path / "a.trace"))
    assert (caught.value.device, caught.value.half) == ("cpu", True)


def test_a_run_in_half_precision_is_close_and_its_record_is_float32(request_of, tmp_path):
    engine, found = Engine(default_catalog()), {}
    for precision in ("float32", "half"):
        path = tmp_path / f"{precision}.trace"
        for _ in engine.run(request_of(model="shapes-2d", label=0, precision=precision), path):
            pass
        with Trace.open(path) as trace:
            found[precision] = trace.array(len(trace) - 1, "xt").copy()
            assert trace.header.fields[0].dtype == "float32"
            assert trace.header.request["precision"] == precision
    away = np.abs(found["half"] - found["float32"]).mean()
    assert 0 < away < 0.05 * np.abs(found["float32"]).mean()
