"""Every field of a request can be set in the panel, comes back as it was given, and is never refused for being off."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from tiny_prompted import card

from diffstudio import options
from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import BadInput
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.sampling.panel import SamplingPanel
from diffstudio.specs import PathSpec
from diffstudio.studio.request.checks import NEUTRAL, unavailable
from diffstudio.studio.request.plan import guides, make_plan
from diffstudio.studio.request.request import Request


@pytest.fixture
def panel(shown, catalog):
    """The panel at the size of its dock; panel.use(name) chooses a model, with all that can guide it."""
    made = shown(SamplingPanel(theme.DARK), 300, 900)

    def use(name):
        entry = catalog.find(name)
        made.set_entry(entry, guides(catalog, entry))
        return made

    made.use = use
    return use("digits")


@pytest.fixture
def files(tmp_path):
    """A mask and two pictures to start from."""
    mask = np.zeros((28, 28), np.uint8)
    mask[5:12, 8:20] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(255 - mask).save(tmp_path / "fits.png")
    Image.new("L", (40, 30), 20).save(tmp_path / "wide.png")
    return tmp_path


FIRST = {"model": "digits@3500", "label": "each", "steps": 30, "guidance": 1.5, "seed": 0}
DIGITS = [
    {},
    {"label": None, "guidance": 1.0, "seed": 2**63 - 1, "samples": 1},
    {"label": 3, "guidance": 1.2345, "steps": 100_000, "samples": 1_000_000, "solver": "heun"},
    {"solver": "rk45", "solver_params": {"rtol": 1e-7}},
    {"solver": "heun", "solver_params": {"s_churn": 40.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003}},
    {"solver": "dpmpp_2m_sde", "solver_params": {"eta": 1 / 3, "variant": 2}, "noise": "fresh"},
    {"solver": "ddpm", "noise": "brownian"},
    {"grid": "karras", "grid_params": {"rho": 3.25, "sigma_min": 0.0123456, "sigma_max": 7.0}},
    {"grid": "shifted_resolution", "grid_params": {"base_shift": -0.5, "patch": 4}},
    {"grid": "custom", "times": (1.0, 0.75, 1 / 3, 0.1, 0.001), "steps": 4},
    {"path": PathSpec(name="vp_linear", params={"n": 250, "beta_end": 0.015}), "grid": "trailing"},
    {"path": PathSpec(name="vp_linear"), "grid": "leading", "grid_params": {"steps_offset": 1}},
    {"path": PathSpec(name="vp_table", betas=(0.1, 0.2, 0.3, 0.4), params={"zero_snr": 1})},
    {"path": PathSpec(name="mixing_uniform", params={"alpha": 0.1})},
    {"path": PathSpec(name="flow")},
    {"clip": "static", "clip_params": {"limit": 1.5}},
    {"clip": "dynamic", "clip_params": {"percentile": 0.9, "most": 3.0}},
    {"forward": "invert", "trace_every": 7, "trace_dtype": "float16", "device": "cuda:3", "precision": "half"},
    {"forward": "markov", "kind": "forward"},
    {"guidance_interval": (0.123, 4.5), "guidance_rescale": 0.7, "record_split": True},
    {"label": 2, "guidance": 3.0, "negative": 5},
    {"label": 2, "guidance": 1.0, "negative": 9, "record_split": True},
    {"label": None, "guidance": 2.0, "guidance_model": "digits@400", "guidance_interval": (0.0, 1e6)},
    {"source": "data", "strength": 0.35},
    {"source": "data", "mask": "mask.png", "resample": 5, "strength": 0.8, "label": 4},
    {"source": "file", "source_file": "fits.png", "source_invert": True, "strength": 0.004},
    {"source": "file", "source_file": "wide.png", "source_fit": "stretch", "mask": "mask.png"},
    {"interpolate": 0},
    {"interpolate": 987654321, "samples": 2},
    {"variation": 0.15, "variation_seed": 77},
]  # fmt: skip
SHAPES = [
    {"model": "shapes-2d@12000", "label": 2, "guidance": 1.5, "samples": 500, "negative": 0},
    {"model": "shapes-2d@12000", "label": "each", "guidance": 2.0, "guidance_interval": (0.5, 2.0)},
    {"model": "shapes-2d@12000", "label": 1, "source": "data", "strength": 0.5, "forward": "invert_heun"},
]


TEXTS = [
    {"prompt": "th_ng", "solver": "tokens_surest", "solver_params": {"temperature": 0.7}},
    {"prompt": "_$ far too long", "source": "data", "strength": 0.5},  # what can't be used is kept to be mended
]


PROMPTS = [
    {"prompt": "a red cat", "negative_prompt": "a dog", "guidance": 4.0},
    {"prompt": "a red cat", "distilled_guidance": 2.25, "guidance": 1.0},
    {"negative_prompt": "a dog", "guidance": 1.0, "record_split": True},
    {"prompt": "a red cat", "guidance": 3.0, "guidance_interval": (0.5, 2.0), "guidance_rescale": 0.5},
]


def request_in(files, fields):
    """With the paths of the files."""
    paths = {name: str(files / fields[name]) for name in ("mask", "source_file") if name in fields}
    return Request.model_validate({**FIRST, **fields, **paths})


def titled(requests):
    return pytest.mark.parametrize("fields", requests, ids=lambda fields: ",".join(fields) or "default")


@titled(DIGITS)
def test_a_request_comes_back_as_it_was_given(panel, files, fields):
    request = request_in(files, fields)
    panel.set_request(request)
    assert panel.request() == request


@titled(SHAPES)
def test_a_request_for_points_comes_back_as_it_was_given(panel, files, fields):
    panel.use("shapes-2d")
    request = request_in(files, fields)
    panel.set_request(request)
    assert panel.request() == request


@titled(TEXTS)
def test_a_request_for_texts_comes_back_as_it_was_given(panel, files, fields):
    panel.use("words")
    request = panel.request().model_copy(update=request_in(files, fields).model_dump(include=set(fields)))
    panel.set_request(request)
    assert panel.request() == request


@titled(PROMPTS)
def test_a_request_with_words_comes_back_as_it_was_given(panel, files, fields):
    panel.set_entry(Entry(Path("painter"), card(), 0, "file"))
    request = panel.request().model_copy(update=request_in(files, fields).model_dump(include=set(fields)))
    panel.set_request(request)
    assert panel.request() == request
    panel.undo()
    assert panel.request().prompt == panel.request().negative_prompt == ""


def test_the_requests_above_cover_every_field():
    needs_a_run = {"source_step"}  # "This step" follows the playhead
    changed = {name for fields in DIGITS + TEXTS + PROMPTS for name in fields}
    assert changed | needs_a_run | {"model"} == set(Request.model_fields)


def test_a_step_of_the_run_that_is_shown_comes_back(panel, tmp_path):
    panel.source.set_trace(tmp_path / "a.trace", True)
    panel.source.set_step(12)
    request = request_in(tmp_path, {"source": "step", "source_file": "a.trace", "source_step": 12})
    panel.set_request(request)
    assert panel.request() == request


@titled([fields for fields in DIGITS if fields])
def test_undo_and_redo_travel_over_every_field(panel, files, fields):
    before, request = panel.request(), request_in(files, fields)
    panel.set_request(request)
    panel.undo()
    assert panel.request() == before
    panel.redo()
    assert panel.request() == request


@titled(DIGITS)
def test_a_model_that_is_chosen_again_has_its_settings(panel, files, fields):
    request = request_in(files, fields)
    panel.set_request(request)
    panel.use("shapes-2d")
    panel.use("digits")
    assert panel.request() == request


@titled([fields for fields in DIGITS if fields])
def test_reset_takes_every_field_back(panel, files, fields):
    before = panel.request()
    panel.set_request(request_in(files, fields))
    panel.reset()
    assert panel.request().model_copy(update={"seed": 0}) == before


def test_every_row_has_a_reset_of_its_own(panel, files, click):
    """Each is given another value where it can have one; the reset appears, and takes it back alone."""
    values = {
        "negative": 5, "guidance_model": "digits@400", "guidance_interval": (1.0, 2.0), "guidance_rescale": 0.5,
        "record_split": True, "strength": 0.5, "mask": str(files / "mask.png"), "resample": 4, "interpolate": 3,
        "variation": 0.5, "variation_seed": 9, "grid": "karras", "path": "vp_cosine", "clip": "static",
        "noise": "fresh", "forward": "markov", "kind": True, "trace_every": 3, "trace_dtype": True, "device": "cpu",
        "precision": "half",
    }  # fmt: skip
    needs = {"mask": {"source": "data"}, "strength": {"source": "data"}, "noise": {"solver": "ddpm"}}
    needs |= {"resample": {"source": "data", "mask": values["mask"]}, "negative": {"label": 1}}
    needs |= {"variation_seed": {"variation": 0.5}}
    for fold, group in (("guidance", panel.guiding), ("edit", panel.edit), ("advanced", panel.advanced)):
        panel.folds.set_open(fold)
        for name, row in group.rows.items():
            if name in ("times", "betas"):
                continue  # has no default to go back to
            before = Request.model_validate({**FIRST, **needs.get(name, {})})
            panel.set_request(before)
            assert not row.reset.isVisible(), name
            row.field.set_value(values[name])
            assert panel.request() != before and row.reset.isVisible(), name
            click(row.reset)
            assert panel.request() == before and not row.reset.isVisible(), name
    assert {*values, "times", "betas"} == {*panel.guiding.rows, *panel.edit.rows, *panel.advanced.rows}


def test_every_field_in_a_fold_has_a_tooltip_and_a_name(panel):
    for group in (panel.guiding, panel.edit, panel.advanced):
        for row in group.rows.values():
            assert row.field.toolTip() and row.field.accessibleName(), row.heading.text()


SOURCES = ("noise", "data", "file", "last", "step")


@pytest.mark.parametrize("model", ["digits", "digits-ddpm", "shapes-2d"])
@pytest.mark.parametrize("source", SOURCES)
def test_what_the_panel_says_is_never_refused_for_what_is_off(panel, catalog, files, model, source):
    panel.use(model)
    image = model != "shapes-2d"
    if source == "file":
        path = files / "fits.png" if image else files / "points.csv"
        (files / "points.csv").write_text("0,1\n1,0\n")
        panel.set_source_file(path)
    panel.source.set_trace(files / "a.trace", True)
    panel.source.combo.set_value(source)
    if image:
        panel.set_mask_file(files / "mask.png")
    hidden = {  # whatever is on, whether it can be or not
        "resample": 3, "strength": 0.5, "interpolate": 4, "variation": 0.4, "variation_seed": 2, "negative": 2,
        "guidance_interval": (0.1, 1.0), "guidance_rescale": 0.5, "record_split": True, "noise": "fresh",
        "clip": "static",
    }  # fmt: skip
    for group in (panel.guiding, panel.edit, panel.advanced):
        for name, row in group.rows.items():
            if name in hidden:
                row.field.set_value(hidden[name])
    panel.advanced.path.set_value("vp_linear")
    for label in (None, 1, "each"):
        panel.label.set_value(label)
        for solver in options.SOLVERS:
            if panel.solver.can_choose(solver):
                panel.solver.set_value(solver)
            for grid in options.GRIDS:
                if panel.advanced.grid.can_choose(grid):
                    panel.advanced.grid.set_value(grid)
                request = panel.request()
                make_plan(catalog, request)
                off = unavailable(panel.card, request).keys() - {"steps", "source_fit", "source_invert", "clip_params"}
                assert {name: getattr(request, name) for name in off} == {name: NEUTRAL[name] for name in off}


def test_what_can_not_be_used_is_off_and_says_why(panel, catalog, choose):
    panel.folds.set_open("edit")
    for name, words in (("strength", "start from a data sample"), ("mask", "start from a data sample")):
        row = panel.edit.rows[name]
        assert not row.field.isEnabled() and words in row.field.toolTip() and words in row.heading.toolTip()
    choose(panel.source.combo, "Data sample")
    assert panel.edit.strength.isEnabled() and "share of the chain" in panel.edit.strength.toolTip()
    assert not panel.edit.variation.isEnabled() and "start from noise" in panel.edit.variation.toolTip()
    assert panel.request().strength == 1.0


def test_a_slider_that_is_off_keeps_its_place(panel):
    panel.source.combo.set_value("data")
    panel.edit.strength.set_value(0.4)
    panel.source.combo.set_value("noise")
    assert panel.request().strength == 1.0
    panel.source.combo.set_value("data")
    assert panel.request().strength == 0.4


def test_undo_leaves_what_a_request_can_not_use_as_it_is(panel):
    panel.label.set_value(None)
    panel._history.separate()
    panel.seed.set_value(5)
    panel.undo()
    assert panel.request().guidance == 1.0
    panel.label.set_value(3)
    assert panel.request().guidance == 1.5


# ── choices that do not go together ─────────────────────────────────────────────────────────────────────────────────


def test_a_grid_of_training_steps_is_offered_where_the_path_has_them(panel):
    grid = panel.advanced.grid
    assert not grid.can_choose("trailing")
    reason = grid.itemData(grid.findData("trailing"), Qt.ItemDataRole.ToolTipRole)
    assert reason == "'trailing' counts integer training steps, and 'flow' has none: choose uniform or karras"
    panel.advanced.path.set_value("vp_linear")
    assert grid.can_choose("trailing")
    again = grid.itemData(grid.findData("trailing"), Qt.ItemDataRole.ToolTipRole)
    assert again == options.GRIDS["trailing"].tip
    grid.set_value("trailing")
    panel.advanced.path.set_value("")
    assert grid.value() == panel.request().grid == "uniform"


def test_a_solver_that_needs_more_of_a_network_is_not_offered(panel):
    assert not panel.solver.can_choose("ddpm_learned")
    at = panel.solver.findData("ddpm_learned")
    assert "learned its variance" in panel.solver.itemData(at, Qt.ItemDataRole.ToolTipRole)
    ranged = panel.card.model_copy(update={"learned_range": True})
    panel.set_entry(Entry(Path("x.safetensors"), ranged, 10, "file"))
    assert panel.solver.can_choose("ddpm_learned")
    panel.solver.set_value("ddpm_learned")
    assert panel.request().solver == "ddpm_learned"


def test_a_path_that_the_network_is_blind_on_is_not_offered(panel, catalog):
    blind = panel.card.model_copy(update={"prediction": "eps", "name": "blind"})
    panel.set_entry(Entry(Path("x.safetensors"), blind, 10, "file"))
    assert not panel.advanced.path.can_choose("flow") and panel.advanced.path.can_choose("vp_linear")
    at = panel.advanced.path.findData("flow")
    assert "signal is gone" in panel.advanced.path.itemData(at, Qt.ItemDataRole.ToolTipRole)


# ── the user's own times ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_own_list_begins_as_the_uniform_grid_and_is_remembered(panel, type_into):
    panel.steps.set_value(4)
    panel.advanced.grid.set_value("custom")
    assert panel.request().times == (1.0, 0.75, 0.5, 0.25, 0.0)
    panel.folds.set_open("advanced")
    type_into(panel.advanced.times.edit, "1, .9;0.2  0")
    assert panel.request().times == (1.0, 0.9, 0.2, 0.0)
    panel.advanced.grid.set_value("uniform")
    assert panel.request().times is None and not panel.advanced.times.isVisible()
    panel.steps.set_value(20)
    panel.advanced.grid.set_value("custom")
    assert panel.request().times == (1.0, 0.9, 0.2, 0.0)


def test_a_list_of_many_steps_is_not_written_out(panel):
    panel.steps.set_value(51)
    panel.advanced.grid.set_value("custom")
    assert len(panel.request().times) == 11


def test_a_list_says_how_many_steps_there_are(panel):
    panel.advanced.grid.set_value("custom")
    panel.advanced.times.set_value((1.0, 0.4, 0.0))
    assert panel.steps.value() == panel.request().steps == 2 and not panel.steps.isEnabled()
    assert "your own list of times has 2 steps" in panel.steps.toolTip()
    panel.advanced.grid.set_value("uniform")
    assert panel.steps.isEnabled()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1, 0.5, 0.7, 0", "times[2] is 0.7, expected less than times[1], 0.5"),
        ("1.2, 0", "times[0] is 1.2, expected 0 to 1"),
        ("1", "times has 1 entries, expected 2 to 100,001"),
        ("one, two", "expected numbers from 1 to 0"),
        ("1, nan, 0", "expected numbers from 1 to 0"),
        ("", "expected numbers from 1 to 0"),
    ],
)
def test_a_list_that_is_none_is_named_while_it_is_typed_and_refused(panel, catalog, qtbot, text, problem):
    panel.advanced.grid.set_value("custom")
    panel.folds.set_open("advanced")
    edit = panel.advanced.times.edit
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    qtbot.keyClicks(edit, text)
    assert problem in panel.advanced.times.note.text()
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert edit.text() == text
    with pytest.raises(BadInput, match="times"):
        make_plan(catalog, panel.request())


# ── guidance ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_checkpoints_that_can_guide_are_offered_its_own_model_first(panel):
    combo = panel.guiding.guide
    offered = [combo.itemData(i) for i in range(combo.count())]
    assert offered[:3] == ["", "digits@400", "digits@1500"]
    assert "digits@3500" not in offered and "shapes-2d@12000" not in offered and "digits-ddpm@3000" in offered


def test_a_guide_is_found_by_any_of_its_names(panel, catalog):
    panel.use("digits-ddpm")
    for name in ("digits", "digits@3500", str(catalog.find("digits").path)):
        panel.guiding.guide.set_value(name)
        assert panel.guiding.guide.value() == "digits@3500"
    panel.guiding.guide.set_value("shapes-2d")
    assert panel.guiding.guide.value() is None


def test_without_a_guide_there_is_none_to_choose(panel, catalog):
    panel.set_entry(catalog.find("digits"))
    assert not panel.guiding.guide.isEnabled() and "same shape" in panel.guiding.guide.toolTip()


def test_guidance_folds_away_where_nothing_can_be_guided(panel, catalog):
    plain = panel.card.model_copy(update={"labels": (), "name": "plain", "defaults": {}})
    panel.folds.set_open("guidance")
    panel.set_entry(Entry(Path("plain.safetensors"), plain, 10, "file"))
    assert not panel.folds.buttons["guidance"].isVisible() and panel.folds.open == ""
    panel.set_entry(Entry(Path("plain.safetensors"), plain, 10, "file"), [catalog.find("digits@400")])
    assert panel.folds.buttons["guidance"].isVisible() and panel.rows["guidance"].isVisible()
    assert not panel.guiding.negative.isVisible()


def test_an_interval_is_never_empty(panel, type_into):
    panel.folds.set_open("guidance")
    interval = panel.guiding.interval
    interval.set_value((6.0, 8.0))
    interval.set_value((0.2, 5.0))
    assert panel.request().guidance_interval == (0.2, 5.0)
    type_into(interval.low, "9")
    low, high = panel.request().guidance_interval
    assert low == 9 < high
    type_into(interval.high, "1")
    low, high = panel.request().guidance_interval
    assert low == 9 < high


# ── the mask ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mask_has_a_name_a_picture_and_can_be_cleared(panel, files, click):
    panel.source.combo.set_value("data")
    panel.folds.set_open("edit")
    field = panel.edit.mask_file
    assert not field.clear.isVisible()
    panel.set_mask_file(files / "mask.png")
    assert panel.request().mask == str(files / "mask.png")
    assert field.name.text() == "mask.png" and not field.thumbnail.pixmap().isNull()
    click(field.clear)
    assert panel.request().mask is None and not field.thumbnail.isVisible()


def test_a_mask_of_another_size_is_refused_and_changes_nothing(panel, files):
    panel.source.combo.set_value("data")
    with pytest.raises(BadInput, match=r"wide\.png is a mask of 40×30 pixels, the model needs 28×28"):
        panel.set_mask_file(files / "wide.png")
    assert panel.request().mask is None


def test_a_mask_that_is_gone_is_none(panel, files):
    request = request_in(files, {"source": "data", "mask": "mask.png", "resample": 3})
    (files / "mask.png").unlink()
    panel.set_request(request)
    assert panel.request() == request.model_copy(update={"mask": None, "resample": 1})


def test_a_picture_that_is_dropped_on_the_mask_is_asked_for_as_one(panel, files, qtbot):
    panel.source.combo.set_value("data")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(files / "mask.png"))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    event = QDropEvent(QPointF(5, 5), copy, data, left, Qt.KeyboardModifier.NoModifier)
    with qtbot.waitSignal(panel.edit.mask_file.dropped) as dropped:
        panel.edit.mask_file.dropEvent(event)
    assert dropped.args == [files / "mask.png"] and event.isAccepted()


def test_points_have_no_mask_and_no_clipping(panel):
    panel.advanced.clip.set_value("dynamic")
    panel.use("shapes-2d")
    for fold, rows in (("edit", [panel.edit.rows[n] for n in ("mask", "resample")]),
                       ("advanced", [panel.advanced.rows["clip"], panel.advanced.params["clip"]])):  # fmt: skip
        panel.folds.set_open(fold)
        assert not any(row.isVisible() for row in rows)
    panel.use("digits")
    assert panel.advanced.params["clip"].isVisible() and panel.request().clip == "dynamic"


# ── the folds ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_fold_at_most_is_open(panel, click):
    bodies = {"guidance": panel.guiding, "edit": panel.edit, "advanced": panel.advanced}
    for name, button in panel.folds.buttons.items():
        click(button)
        assert panel.folds.open == name
        assert [n for n, body in bodies.items() if body.isVisible()] == [name]
    click(button)
    assert panel.folds.open == "" and not any(body.isVisible() for body in bodies.values())


def test_headings_stand_in_one_column_in_every_fold(panel):
    panel.advanced.path.set_value("vp_linear")
    for fold, group in (("guidance", panel.guiding), ("edit", panel.edit), ("advanced", panel.advanced)):
        panel.folds.set_open(fold)
        panel.layout().activate()
        lefts = {
            row.field.mapTo(panel, row.field.rect().topLeft()).x() for row in group.rows.values() if row.isVisible()
        }
        assert len(lefts) == 1, fold
