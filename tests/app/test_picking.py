"""The picker in the real window: folders, favourites, the menu of a row, pasted paths, hashes, first pictures."""

import hashlib
import json
import os
import shlex

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLabel, QMenu, QMessageBox
from safetensors.numpy import load_file, save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.store import save
from diffstudio.gui.app import Studio
from diffstudio.gui.dialogs.questions import Question, RestoreQuestion
from diffstudio.gui.panels.models.row import KIND, PICTURE
from diffstudio.gui.work.jobs import Ended
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec
from diffstudio.studio.export.write import ExportOptions, export

FIELDS = {"modality": "points", "shape": (2,), "path": PathSpec(), "prediction": "flow", "network": "mlp"}


def put(folder, name="spots", step=1):
    """A checkpoint that can run."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}@{step}.safetensors"
    weights = {key: value.numpy() for key, value in NETWORKS["mlp"]((2,), 0).state_dict().items()}
    save(path, Card(name=name, step=step, data=TrainingData(dataset=""), **FIELDS), weights)
    return path


def put_bare(folder, name="bare-5"):
    """Weights of another tool, with a card beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    save_file({key: value.numpy() for key, value in NETWORKS["mlp"]((2,), 0).state_dict().items()}, path)
    card = {"modality": "points", "shape": [2], "path": {}, "prediction": "flow", "network": "mlp"}
    (folder / f"{name}.safetensors.card.json").write_text(json.dumps(card), "utf-8")
    return path


@pytest.fixture
def models(tmp_path):
    return tmp_path / "my models"


@pytest.fixture
def with_folder(studio, models, qtbot):
    """The window with that folder in its list, looked through."""

    def add():
        models.mkdir(exist_ok=True)
        with qtbot.waitSignal(studio.parts.scanning.scanned, check_params_cb=lambda folder, _: folder[1] == models):
            studio.commands.filing.open_paths([models])
            studio.wait_read()
        return studio.parts

    return add


@pytest.fixture
def again(qapp, tmp_path):
    """The window as it is opened the next time."""
    made = []

    def start():
        made.append(Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False))
        return made[-1]

    yield start
    for studio in made:
        studio.shut_down()
        studio.parts.window.deleteLater()


def titles(parts, kind="model"):
    return [item.text(0) for item in parts.models.tree.items() if item.data(0, KIND) == kind]


def entry_of(parts, name):
    return parts.catalog.find(name)


def menu_of(studio, entry):
    """The actions of a row's menu, by what they are."""
    for open_menu in studio.parts.models.findChildren(QMenu):
        open_menu.close()
    studio.parts.models.menuWanted.emit(entry, QPoint(5, 5))
    menu = [m for m in studio.parts.models.findChildren(QMenu) if m.isVisible()][-1]
    return {action.data(): action for action in menu.actions() if action.data()}


def close_menus(studio, qtbot):
    for menu in studio.parts.models.findChildren(QMenu):
        menu.close()
    qtbot.waitUntil(lambda: not any(m.isVisible() for m in studio.parts.models.findChildren(QMenu)))


# ── folders ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_bundled_ones_are_there_at_once_and_the_others_follow(with_folder, again, qtbot, models, studio):
    put(models)
    with_folder()
    studio.shut_down()
    other = again()
    assert "digits" in titles(other.parts) and "spots" not in titles(other.parts)
    qtbot.waitUntil(lambda: "spots" in titles(other.parts))


def test_a_folder_that_is_dropped_is_listed_and_counted(with_folder, models):
    put(models, step=1)
    put(models, step=2)
    (models / "torn.safetensors").write_bytes(b"torn")
    parts = with_folder()
    assert titles(parts, "checkpoint")[-2:] == ["2 steps · final", "1 steps"]
    assert parts.window.message.text() == f"Checkpoints in {models}: 2 · can't be used: 1"
    assert parts.settings.folders == [str(models)]


def test_what_a_training_saves_appears_by_itself(with_folder, studio, models, qtbot):
    parts = with_folder()
    qtbot.waitUntil(lambda: str(models) in studio.picking.watching.watched)
    put(models)
    qtbot.waitUntil(lambda: "spots" in titles(parts))


def test_the_model_that_was_chosen_last_is_chosen_once_it_is_found(with_folder, again, qtbot, models, studio):
    put(models)
    parts = with_folder()
    assert parts.models.choose("spots")
    studio.shut_down()
    other = again()
    assert other.parts.sampling.card.name == "digits"
    qtbot.waitUntil(lambda: other.parts.sampling.card.name == "spots")


def test_who_chooses_before_it_is_found_is_not_interrupted(with_folder, again, qtbot, models, studio):
    put(models)
    assert with_folder().models.choose("spots")
    studio.shut_down()
    other = again()
    other.parts.models.choose("shapes-2d")
    qtbot.waitUntil(lambda: "spots" in titles(other.parts))
    assert other.parts.sampling.card.name == "shapes-2d"


def test_a_folder_is_taken_off_the_list_and_brought_back(with_folder, studio, models, qtbot):
    put(models)
    parts = with_folder()
    menu_of(studio, entry_of(parts, "spots"))["remove"].trigger()
    close_menus(studio, qtbot)
    assert "spots" not in titles(parts) and parts.settings.folders == []
    assert "Undo" in parts.window.message.text() and list(models.iterdir())
    qtbot.waitUntil(lambda: not parts.scanning.going)
    assert "spots" not in titles(parts)
    assert parts.window.actions_by_id["undo"].isEnabled()
    parts.window.actions_by_id["undo"].trigger()
    qtbot.waitUntil(lambda: "spots" in titles(parts))
    assert parts.settings.folders == [str(models)]


def test_after_a_change_of_the_settings_undo_takes_that_back(with_folder, studio, models, qtbot):
    put(models)
    parts = with_folder()
    studio.picking.remove_folder(str(models))
    steps = parts.sampling.steps.value()
    parts.sampling.steps.set_value(steps + 5)
    studio.commands.run("undo")
    assert parts.sampling.steps.value() == steps and parts.settings.folders == []


# ── favourites and order ────────────────────────────────────────────────────────────────────────────────────────────


def test_favourites_order_and_what_was_used_are_remembered(studio, generate, again):
    parts = studio.parts
    parts.models.choose("shapes-2d")
    parts.sampling.steps.set_value(2)
    assert generate().outcome == "done"
    parts.window.actions_by_id["favourite"].trigger()
    {action.data(): action for action in parts.models.sort.menu().actions()}["used"].trigger()
    assert titles(parts)[0] == "shapes-2d" and titles(parts, "group")[0] == "Favourites"
    studio.shut_down()
    other = again().parts
    assert titles(other, "group")[0] == "Favourites" and titles(other)[0] == "shapes-2d"
    assert other.models.sort.text() == "Recently used ▾" and other.settings.used == ["shapes-2d"]


def test_a_favourite_is_made_and_unmade_from_the_menu(studio, qtbot):
    parts = studio.parts
    for checked in (False, True):
        action = menu_of(studio, entry_of(parts, "spoken-digits"))["favourite"]
        assert action.isChecked() == checked
        action.trigger()
        close_menus(studio, qtbot)
        assert (titles(parts)[0] == "spoken-digits") != checked


# ── the menu ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_settings_are_copied_as_a_command(studio, qtbot):
    parts = studio.parts
    parts.sampling.seed.set_value(41)
    menu_of(studio, parts.models.entry)["command"].trigger()
    line = shlex.split(QGuiApplication.clipboard().text())
    assert line[:3] == ["diffstudio", "sample", "digits@3500"] and line[-2:] == ["--seed", "41"]
    menu_of(studio, entry_of(parts, "shapes-2d"))["command"].trigger()
    assert "--seed" not in QGuiApplication.clipboard().text(), "of another model its own settings"
    close_menus(studio, qtbot)
    parts.window.actions_by_id["copy_command"].trigger()
    assert shlex.split(QGuiApplication.clipboard().text()) == line


def test_a_model_of_an_added_folder_is_named_by_its_path(with_folder, studio, models, qtbot):
    path = put(models)
    parts = with_folder()
    parts.models.choose("spots")
    studio.commands.run("copy_command")
    assert shlex.split(QGuiApplication.clipboard().text())[2] == str(path)


def test_path_and_folder_of_a_row(with_folder, studio, models, qtbot, monkeypatch):
    path, opened = put(models), []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    parts = with_folder()
    actions = menu_of(studio, entry_of(parts, "spots"))
    actions["path"].trigger()
    actions["show"].trigger()
    close_menus(studio, qtbot)
    assert QGuiApplication.clipboard().text() == str(path)
    assert [url.toLocalFile() for url in opened] == [str(models)]


def test_the_name_of_a_row_and_of_what_is_chosen(with_folder, studio, models, qtbot):
    put(models, step=3)
    put(models, step=5)
    parts = with_folder()
    menu_of(studio, entry_of(parts, "spots@3"))["name"].trigger()
    close_menus(studio, qtbot)
    assert QGuiApplication.clipboard().text() == "spots@3"
    parts.models.choose("spots")
    parts.window.actions_by_id["copy_name"].trigger()
    assert QGuiApplication.clipboard().text() == "spots@5"


def test_a_file_that_can_not_be_used_still_has_a_path(with_folder, studio, models, qtbot):
    models.mkdir()
    (models / "torn.safetensors").write_bytes(b"torn")
    parts = with_folder()
    (broken,) = (entry for entry in parts.catalog.entries if entry.problem)
    assert set(menu_of(studio, broken)) == {"path", "show", "remove"}
    close_menus(studio, qtbot)


def test_bundled_models_can_not_be_taken_off(studio, qtbot):
    assert "remove" not in menu_of(studio, studio.parts.models.entry)
    close_menus(studio, qtbot)


# ── pasting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shown(studio, qtbot):
    studio.parts.window.show()
    qtbot.waitExposed(studio.parts.window)
    return studio.parts


def test_a_path_that_is_pasted_is_opened(shown, models, qtbot):
    path = put(models)
    QGuiApplication.clipboard().setText(f"'{path}'\n")
    shown.models.tree.setFocus()
    qtbot.keyClick(shown.models.tree, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: shown.models.entry.path == path)


def test_a_folder_copied_in_a_file_manager_is_pasted_into_a_field(shown, models, qtbot):
    put(models)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(models))])
    QGuiApplication.clipboard().setMimeData(data)
    shown.models.search.setFocus()
    qtbot.waitUntil(shown.models.search.hasFocus)
    qtbot.keyClick(shown.models.search, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: "spots" in titles(shown))
    assert shown.models.search.text() == ""


@pytest.mark.parametrize("text", ["digits", "/no/such/file", "", "a\nb", "x" * 100_000, "/\0", "~nobody/x"])
def test_other_texts_are_pasted_as_texts(shown, qtbot, text):
    QGuiApplication.clipboard().setText(text)
    shown.models.search.setFocus()
    qtbot.waitUntil(shown.models.search.hasFocus)
    qtbot.keyClick(shown.models.search, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert shown.models.search.text()[:5] == text[:5]
    shown.window.actions_by_id["paste"].trigger()
    assert "clipboard holds no path" in shown.window.message.text()


# ── what is found out later ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_hash_of_a_file_is_found_and_kept(with_folder, models, qtbot):
    path = put_bare(models)
    parts = with_folder()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    parts.models.choose("bare")
    wanted = f"sha256 {digest[:4]} {digest[4:8]} … {digest[-4:]}"
    qtbot.waitUntil(lambda: wanted in parts.card.lines())
    entry = parts.models.entry
    assert parts.catalog.cache.find(path, entry.changed, entry.size).sha256 == digest


def test_another_choice_ends_the_reading(with_folder, models, qtbot, studio):
    put_bare(models)
    parts = with_folder()
    parts.models.choose("bare")
    parts.models.choose("digits")
    qtbot.waitUntil(lambda: not parts.scanning.jobs.open)
    assert sum(line.startswith("sha256") for line in parts.card.lines()) == 1


def test_a_model_without_a_picture_gets_one_from_its_first_run(with_folder, generate, models, qtbot, studio):
    put(models)
    parts = with_folder()
    parts.models.choose("spots")
    parts.sampling.steps.set_value(3)

    def row():
        return next(item for item in parts.models.tree.items() if item.text(0) == "spots")

    assert not row().data(0, PICTURE)
    assert generate().outcome == "done"
    qtbot.waitUntil(lambda: bool(row().data(0, PICTURE)))
    picture, seed = row().data(0, PICTURE), parts.sampling.seed.value()
    assert parts.models.entry.spec == "spots@1", "and what is chosen stays so"
    parts.sampling.seed.set_value(seed + 1)
    generate()
    qtbot.waitUntil(lambda: not parts.scanning.jobs.open)
    assert row().data(0, PICTURE) == picture, "only of the first"


def test_a_run_that_fails_or_is_stopped_gives_no_picture(with_folder, generate, models, qtbot, studio, monkeypatch):
    put(models)
    parts = with_folder()
    parts.models.choose("spots")
    parts.sampling.steps.set_value(50)
    parts.runs.progressed.connect(parts.runs.stop)
    assert generate().outcome == "cancelled"
    parts.runs.progressed.disconnect(parts.runs.stop)
    monkeypatch.setattr("diffstudio.studio.export.pictures.np.isfinite", lambda array: np.zeros_like(array, bool))
    parts.sampling.steps.set_value(2)
    assert generate().outcome == "done"
    qtbot.waitUntil(lambda: not parts.scanning.jobs.open and not parts.scanning.going)
    assert parts.catalog.find("spots").thumbnail == ""


def test_a_run_that_is_not_finished_gives_no_picture_whatever_is_said_of_it(with_folder, generate, models, qtbot):
    put(models)
    parts = with_folder()
    parts.models.choose("spots")
    parts.sampling.steps.set_value(50)
    parts.runs.progressed.connect(parts.runs.stop)
    assert generate().outcome == "cancelled"
    parts.runs.progressed.disconnect(parts.runs.stop)
    trace = parts.runs.trace
    assert (
        trace is not None and len(trace) and not trace.complete and np.isfinite(trace.array(len(trace) - 1, "xt")).all()
    )
    parts.runs.ended.emit(Ended(0, "done"))
    qtbot.waitUntil(lambda: not parts.scanning.jobs.open and not parts.scanning.going)
    assert parts.catalog.find("spots").thumbnail == ""


# ── no room ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("yes", [True, False])
def test_a_device_without_room_is_offered_another(studio, qtbot, yes, monkeypatch):
    parts, asked = studio.parts, []
    monkeypatch.setattr(parts.runs, "generate", lambda request, budget=None: asked.append(request.device))
    parts.runs.ended.emit(Ended(0, "failed", "the run needs 9 GB on cuda:0", device="cpu"))
    (question,) = parts.window.findChildren(Question)
    assert "The run needs 9 GB on cuda:0." in [line.text() for line in question.findChildren(QLabel)]
    button = QDialogButtonBox.StandardButton.Ok if yes else QDialogButtonBox.StandardButton.Cancel
    question.buttons.button(button).click()
    assert asked == (["cpu"] if yes else [])


@pytest.mark.parametrize(
    ("press", "field", "value"), [("Run in half precision", "precision", "half"), ("Run on CPU", "device", "cpu")]
)
def test_half_precision_and_another_device_are_two_buttons(studio, qtbot, monkeypatch, press, field, value):
    parts, asked = studio.parts, []
    monkeypatch.setattr(parts.runs, "generate", lambda request, budget=None: asked.append(getattr(request, field)))
    parts.runs.ended.emit(Ended(0, "failed", "the run needs 9 GB on cuda:0", device="cpu", half=True))
    (question,) = parts.window.findChildren(Question)
    (button,) = (button for button in question.buttons.buttons() if button.text() == press)
    button.click()
    assert asked == [value]


def test_the_share_of_the_weights_that_is_read_is_shown(shown):
    shown.runs.started.emit()
    shown.runs.loading.emit(0.4)
    assert "Loading the model… 40 %" in [line.text() for line in shown.canvas.findChildren(QLabel)]
    shown.runs.ended.emit(Ended(0, "cancelled"))


# ── files that are opened ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def opened(studio, qtbot):
    """Opens a file or folder in the window, as when it is dropped, and waits until it was looked at."""

    def do(path):
        studio.commands.filing.open_paths([path])
        studio.wait_read()
        qtbot.waitUntil(lambda: not studio.parts.scanning.going)
        return studio.parts

    return do


def message(qtbot):
    """The one message that is open; closes it."""
    (box,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]
    box.close()
    return box.text()


@pytest.mark.parametrize("name", ["spots", "spots.weights", "spots.v2", "spots.png", "spots.pt"])
def test_the_window_opens_a_checkpoint_whatever_it_is_called(opened, models, name):
    path = put(models).rename(models / name)
    parts = opened(path)
    assert (parts.models.entry.path, parts.sampling.card.name) == (path, "spots")
    assert parts.catalog.find(str(path)) is parts.models.entry, "as the command line finds it"


def test_a_checkpoint_that_is_opened_is_looked_at_once(opened, models, monkeypatch):
    looks = []
    monkeypatch.setattr("diffstudio.checkpoints.catalog.card_at", lambda look: looks.append(look.path) or card_at(look))
    path = put(models)
    opened(path)
    opened(path)
    assert looks == [path]


def test_a_link_to_a_listed_file_is_that_file(opened, with_folder, models, tmp_path):
    path = put(models)
    with_folder()
    (tmp_path / "link.safetensors").symlink_to(path)
    parts = opened(tmp_path / "link.safetensors")
    assert parts.models.entry.path == path and titles(parts).count("spots") == 1


def test_what_is_wrong_with_a_file_that_is_opened_is_said_and_it_is_not_listed(opened, models, qtbot):
    put(models)
    (models / "torn.safetensors").write_bytes(b"torn")
    (models / "optimizer.pt").write_bytes(b"\x80\x02}q\x00.")
    before = None
    for name in ("torn.safetensors", "optimizer.pt"):
        parts = opened(models / name)
        before = before or titles(parts)
        assert name in message(qtbot)
        assert titles(parts, "problem") == [] and titles(parts) == before


def test_a_folder_that_is_a_model_is_listed_and_chosen(opened, models):
    unet = models / "cats" / "unet"
    unet.mkdir(parents=True)
    (unet / "config.json").write_text('{"_class_name": "UNet2DModel", "sample_size": 8}')
    save_file({"w": np.zeros((2, 3), np.float32)}, unet / "diffusion_pytorch_model.safetensors")
    parts = opened(models / "cats")
    assert parts.models.entry.path == models / "cats" and parts.settings.folders == [str(models / "cats")]


def test_who_chooses_another_one_meanwhile_keeps_it(studio, models, qtbot):
    path = put(models)
    studio.commands.filing.open_paths([path])
    studio.wait_read()
    studio.parts.models.choose("shapes-2d")
    qtbot.waitUntil(lambda: "spots" in titles(studio.parts) and not studio.parts.scanning.going)
    assert studio.parts.sampling.card.name == "shapes-2d"


def test_a_file_that_is_deleted_leaves_the_list_with_a_word(with_folder, studio, models, qtbot):
    path = put(models)
    parts = with_folder()
    qtbot.waitUntil(lambda: str(models) in studio.picking.watching.watched)
    path.unlink()
    qtbot.waitUntil(lambda: "spots" not in titles(parts))
    assert parts.window.message.text() == f"{path.name} is gone from {models}."


def test_a_folder_that_is_too_large_says_so(with_folder, models, monkeypatch):
    for step in range(5):
        put(models, step=step)
    monkeypatch.setattr("diffstudio.checkpoints.finding.MAX_FILES", 3)
    assert "only the first 3 checkpoints were looked at" in with_folder().window.message.text()


# ── the filter ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_generate_does_not_run_a_model_that_the_filter_hides(shown, studio, qtbot, monkeypatch):
    ran = []
    monkeypatch.setattr(shown.runs, "generate", lambda request, budget=None: ran.append(request.model))
    shown.models.choose("digits")
    qtbot.keyClicks(shown.models.search, "shapes-2d")
    studio.commands.run("generate")
    assert ran == [] and shown.sampling.card.name == "shapes-2d"
    assert shown.window.message.text() == (
        "The filter hides digits@3500: shapes-2d@12000 is chosen instead. Generate runs it."
    )
    studio.commands.run("generate")
    assert ran == ["shapes-2d@12000"]
    shown.models.search.setText("nobody has this")
    studio.commands.run("generate")
    assert len(ran) == 1 and "The filter hides every model" in shown.window.message.text()
    assert shown.sampling.card.name == "shapes-2d"


def test_escape_clears_the_filter_and_then_leaves_the_field(shown, qtbot):
    shown.models.search.setFocus()
    qtbot.waitUntil(shown.models.search.hasFocus)
    qtbot.keyClicks(shown.models.search, "dig")
    qtbot.keyClick(shown.models.search, Qt.Key.Key_Escape)
    assert shown.models.search.text() == "" and shown.models.search.hasFocus()
    qtbot.keyClick(shown.models.search, Qt.Key.Key_Escape)
    assert not shown.models.search.hasFocus()


# ── settings of a picture ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def picture(generate, studio, tmp_path):
    """A picture of the model that is chosen; its path."""

    def make():
        studio.parts.sampling.steps.set_value(2)
        assert generate().outcome == "done"
        out = tmp_path / "picture.png"
        export(studio.parts.runs.trace, out, ExportOptions(kind="picture"))
        return out

    return make


def question_of(parts, path, opened):
    opened(path)
    return [q for q in parts.window.findChildren(RestoreQuestion) if q.isVisible()][-1]


def answer(question, yes):
    button = QDialogButtonBox.StandardButton.Ok if yes else QDialogButtonBox.StandardButton.Cancel
    question.buttons.button(button).click()


def test_restored_settings_show_their_model_where_the_filter_hid_it(with_folder, picture, opened, models):
    put(models)
    parts = with_folder()
    parts.models.choose("spots")
    path = picture()
    parts.models.choose("digits")
    parts.models.search.setText("digits")
    answer(question_of(parts, path, opened), True)
    assert (parts.models.search.text(), parts.models.entry.spec, parts.sampling.card.name) == ("", "spots@1", "spots")


def test_a_picture_finds_its_weights_under_another_name(with_folder, picture, opened, models, qtbot):
    path = put(models)
    parts = with_folder()
    parts.models.choose("spots")
    made = picture()
    weights = load_file(path)
    path.unlink()
    save(models / "other.safetensors", Card(name="renamed", step=1, data=TrainingData(dataset=""), **FIELDS), weights)
    with qtbot.waitSignal(parts.scanning.scanned):
        parts.scanning.scan(parts.catalog.folders[-1:])
    question = question_of(parts, made, opened)
    assert "What made it is called renamed@1 here; it was spots@1 there." in question.sentence.text()
    answer(question, True)
    assert parts.models.entry.spec == "renamed@1"


@pytest.mark.parametrize("known", [True, False])
def test_a_namesake_with_other_weights_is_said(with_folder, picture, opened, models, qtbot, known):
    path = (put if known else put_bare)(models)
    parts = with_folder()
    spec = parts.catalog.find(str(path)).spec
    parts.models.choose(spec)
    made = picture()
    there = parts.runs.trace.header.checkpoint_sha256
    weights = {name: value + 1 for name, value in load_file(path).items()}
    if known:
        save(path, Card(name="spots", step=1, data=TrainingData(dataset=""), **FIELDS), weights)
    else:
        save_file(weights, path)
    os.utime(path, (1, 1))
    parts.models.choose("digits")
    with qtbot.waitSignal(parts.scanning.scanned):
        parts.scanning.scan(parts.catalog.folders[-1:])
    question = question_of(parts, made, opened)
    wanted = f"{spec} has other weights than those that made it (sha256 {there[:8]}… there, "
    qtbot.waitUntil(lambda: wanted in question.sentence.text())
    answer(question, False)


def test_the_same_weights_need_no_word(with_folder, picture, opened, models, qtbot):
    path = put_bare(models)
    parts = with_folder()
    parts.models.choose("bare")
    made = picture()
    assert parts.runs.trace.header.checkpoint_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    question = question_of(parts, made, opened)
    qtbot.waitUntil(lambda: not parts.scanning.jobs.open)
    assert "\n" not in question.sentence.text()
    answer(question, False)
