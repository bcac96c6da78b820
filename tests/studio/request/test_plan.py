"""What a request will do, known before it runs: chains, sizes, network calls; and what does not fit together."""

import pytest
from known_network import Known, save_known

from diffstudio.errors import BadFile, BadInput, NotFound
from diffstudio.studio.request.plan import records


@pytest.mark.parametrize(
    ("steps", "every", "count"), [(30, 1, 31), (30, 7, 6), (30, 30, 2), (30, 31, 2), (1, 1, 2), (6, 4, 3)]
)
def test_every_kth_step_and_the_last_make_the_records(steps, every, count):
    assert records(steps, every) == count == len({*range(0, steps + 1, every), steps})


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"forward": "off"}, {"trace_dtype": "float16"}, {"trace_every": 4}, {"kind": "forward", "source": "data"},
        {"samples": 50, "steps": 3},
    ],
)  # fmt: skip
def test_the_size_that_is_said_is_the_size_on_the_disk(engine, request_of, record, fields):
    plan = engine.plan(request_of(**fields))
    trace = record(**fields)
    header = 16 + int.from_bytes(trace.path.read_bytes()[8:12], "little")
    assert trace.path.stat().st_size - header == plan.total_bytes
    assert [(c.name, c.records) for c in plan.chains] == [
        (name, int((trace.scalars("chain") == number).sum()))
        for number, name in enumerate(("forward", "reverse"))
        if number in trace.scalars("chain")
    ]


@pytest.mark.parametrize("solver", ["dpmpp_2m", "ddim", "ddpm", "ddpm_large", "euler", "heun"])
def test_the_network_calls_that_are_said_are_those_that_are_made(engine, request_of, record, solver):
    fields = {"solver": solver, "forward": "off"}
    record(**fields)
    assert Known.calls == engine.plan(request_of(**fields)).network_calls


def test_memory_grows_with_the_states(engine, request_of):
    small, large = (engine.plan(request_of(samples=n)).memory_bytes for n in (1000, 1_000_000))
    assert large > small + 8 * 1_000_000 * 2 * 4


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"label": 2}, r"^'known' has the labels 0 to 1, found 2 as the label$"),
        ({"model": "plain", "label": 0}, r"^'plain' knows no classes: leave the label out$"),
        ({"model": "plain", "label": "each"}, r"^'plain' knows no classes"),
        ({"model": "plain", "source": "data"}, r"^'plain' carries no data set to draw from: give a file"),
        ({"model": "plain", "kind": "forward"}, r"^'plain' carries no data set"),
        ({"kind": "forward", "forward": "off"}, r"^a forward run needs a forward chain"),
        (
            {"kind": "forward", "source": "step", "source_file": "a.trace", "source_step": 1},
            r"^a forward run starts from data or a file",
        ),
    ],
)
def test_what_does_not_go_together_is_one_sentence(engine, request_of, folder, fields, sentence):
    save_known(folder, "plain", means=(0.0,), labels=(), data={"dataset": ""})
    with pytest.raises(BadInput, match=sentence):
        engine.plan(request_of(**fields))


def test_a_model_without_data_has_no_forward_chain(engine, request_of, folder):
    save_known(folder, "plain", means=(0.0,), labels=(), data={"dataset": ""})
    assert [c.name for c in engine.plan(request_of(model="plain")).chains] == ["reverse"]
    from_file = engine.plan(request_of(model="plain", source="file", source_file="mine.npy"))
    assert [c.name for c in from_file.chains] == ["forward", "reverse"]


def test_a_broken_and_a_missing_checkpoint_are_named(engine, request_of, folder):
    (folder / "broken.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(BadFile, match=r"broken\.safetensors"):
        engine.plan(request_of(model=str(folder / "broken.safetensors")))
    with pytest.raises(NotFound, match="'known' has no checkpoint '7': it has the steps 5"):
        engine.plan(request_of(model="known@7"))
