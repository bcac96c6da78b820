"""Proposed names: they tell runs apart, fit every file system, and never lie on what is there."""

import pytest

from diffstudio.studio.export.naming import MOST_BYTES, free, others_in, proposed, run_name, safe, with_suffix
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.write import export

CARD = {"name": "digits", "step": 3500, "labels": [str(n) for n in range(10)]}
REQUEST = {"solver": "dpmpp_2m", "steps": 30, "label": 3, "seed": 7}


@pytest.fixture
def named(both):
    """The name of an export of a run whose samples are of no class and of class 3 in turn."""
    both.header = both.header.model_copy(update={"card": both.header.card | CARD, "request": REQUEST})
    return lambda **options: proposed(both, ExportOptions(**options))


def test_a_name_says_model_checkpoint_solver_steps_class_seed_and_kind(named):
    assert named() == "digits@3500_dpmpp-2m_30steps_class-3_seed7_grid"


def test_exports_of_one_run_have_names_of_their_own(named):
    several = [
        named(),
        named(kind="strip"),
        named(kind="animation"),
        named(kind="frames"),
        named(kind="samples"),
        named(kind="arrays"),
        named(kind="trace"),
        named(sample=0),
        named(sample=1),
        named(tensor="x0_hat"),
        named(record=7),
        named(record=2),
        named(kind="strip", chain="both"),
        named(kind="strip", chain="forward"),
    ]
    assert len(set(several)) == len(several)
    assert "sample2" in named(sample=1) and "sample" not in named()
    assert "forward-step2" in named(record=2), "of the forward chain"


def test_what_made_a_run_is_in_its_name():
    base = run_name(REQUEST, "digits@3500", CARD["labels"])
    for change in (
        {"solver": "heun"}, {"steps": 31}, {"label": 4}, {"label": None}, {"label": "each"}, {"seed": 8},
        {"prompt": "a fox"}, {"times": [1.0, 0.5, 0.0]},
    ):  # fmt: skip
        assert run_name(REQUEST | change, "digits@3500", CARD["labels"]) != base, change
    assert run_name(REQUEST, "digits@400", CARD["labels"]) != base
    assert run_name({"kind": "forward", "seed": 1}, "digits@0") == "digits_forward_seed1"


def test_a_prompt_is_its_start_cut_at_a_word():
    name = run_name({"prompt": "a red fox, jumping over the lazy dog in the snow"}, "sd")
    assert name == "sd_a-red-fox-jumping-over-the"
    assert run_name({"prompt": "the _____ of the"}, "sentences") == "sentences_the-_____-of-the"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b\\c:d*e?f\"g<h>i|j", "a-b-c-d-e-f-g-h-i-j"),
        (" .. hidden. ", "hidden"),
        ("line\nbreak\tand\0zero", "line-break-and-zero"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("console", "console"),
        ("猫の絵", "猫の絵"),
        ("e\u0301", "é"),
        ("right\u202eleft", "right-left"),
        ("😀" * 80, "😀" * (MOST_BYTES // 4)),
        ("\ud800", "-".strip("-")),
    ],
)  # fmt: skip
def test_odd_names_fit_every_file_system(text, expected):
    assert safe(text) == expected


@pytest.mark.parametrize(
    "model", ["a/../../etc/passwd", "nul", "x" * 400, "名" * 300, "", "sd-v1.5", ".ssh", "~", "-rf"]
)
def test_a_strangers_trace_proposes_a_name_that_can_be_written(model, both, tmp_path):
    request = {"solver": "s" * 300, "steps": 4, "prompt": "p\n" * 900, "label": 10**9, "seed": 2**62}
    both.header = both.header.model_copy(update={"card": both.header.card | {"name": model, "step": 1}})
    both.header = both.header.model_copy(update={"request": request})
    for kind, suffix in (("picture", ".png"), ("frames", "")):
        name = proposed(both, ExportOptions(kind=kind))
        assert len(name.encode()) <= MOST_BYTES and not name.startswith((".", "-")) and "/" not in name
        (written, *_) = export(both, tmp_path / (name + suffix), ExportOptions(kind=kind))
        assert tmp_path in written.parents


def test_requests_of_strangers_are_no_surprise():
    odd = {"solver": 3, "steps": "x", "label": [1], "seed": None, "prompt": 5, "times": "abc", "kind": {}}
    assert run_name(odd, "m") == "m_3_5"
    assert run_name({}, "m", [], ("grid",)) == "m_grid"


def test_what_is_there_is_never_proposed(tmp_path):
    path = tmp_path / "a.png"
    assert free(path) == path
    path.touch()
    assert free(path).name == "a (2).png"
    (tmp_path / "a (2).png").touch()
    assert free(path).name == "a (3).png"
    assert free(path, [tmp_path / "a (3).png"]).name == "a (4).png"


def test_a_folder_is_free_while_it_is_empty(tmp_path):
    folder = tmp_path / "sd-v1.5_frames"
    folder.mkdir()
    assert free(folder) == folder
    (folder / "0000.png").touch()
    assert free(folder).name == "sd-v1.5_frames (2)", "its dot begins no suffix"


def test_a_suffix_goes_behind_the_whole_name(tmp_path):
    assert with_suffix(tmp_path / "sd-v1.5", ".trace").name == "sd-v1.5.trace"
    assert with_suffix(tmp_path / "A.TRACE", ".trace").name == "A.TRACE"


def test_files_of_other_exports_in_a_folder_are_found(both, tmp_path):
    export(both, tmp_path / "out", ExportOptions(kind="frames"))
    (tmp_path / "out" / "notes.txt").touch()
    (tmp_path / "out" / "holiday.png").touch()
    frames = [f"{n:04d}.png" for n in range(5)]
    assert others_in(tmp_path / "out") == frames, "nothing of the user's own"
    assert others_in(tmp_path / "out", frames) == []
    assert others_in(tmp_path / "out", frames[:3]) == frames[3:], "the rest of a longer run"
    assert others_in(tmp_path / "nowhere") == []
