"""What is kept between two starts: settings, theme, layout, the model that was chosen last."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from diffstudio.gui.controllers.catalog import Picking
from diffstudio.gui.kit import theme
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.studio.app.settings import Settings
from diffstudio.studio.app.shared_settings import OWN, merged, read_shared, save_shared

log = logging.getLogger("diffstudio")


class Keeping(QObject):
    """The settings of one window, and the file that it shares with others: what they change is learned."""

    learned = Signal()  # another window has changed something

    def __init__(self, parts: Parts, picking: Picking, file: Path) -> None:
        super().__init__(parts.window)
        self.parts, self._picking, self._file = parts, picking, file
        self._base = parts.settings.model_copy(deep=True)  # as they were read or written last
        self._written = _stamp(file)
        self._watcher = QFileSystemWatcher(self)
        self._watch()
        self._watcher.directoryChanged.connect(self.learn)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_theme)

    def use(self, changed: Settings) -> None:
        """Take changed settings into use and write them."""
        for name in Settings.model_fields:
            setattr(self.parts.settings, name, getattr(changed, name))
        self.parts.sampling.set_device(changed.device)
        self._use_theme()
        self.save()

    def restore(self) -> None:
        """The window as it was left."""
        p = self.parts
        state = p.settings.window
        p.window.restore(state.get("layout", {}) if isinstance(state.get("layout"), dict) else {})
        for name, part in (("canvas", p.canvas), ("timeline", p.timeline)):
            if isinstance(state.get(name), dict):
                part.restore(state[name])
        for name in OPTIONS:
            p.window.set_checked(name, p.canvas.option(name))
        p.sampling.seed.lock.setChecked(p.settings.seed_locked)
        p.sampling.seed.each.setChecked(p.settings.seed_each_run)
        p.sampling.restore(p.settings.requests)
        p.sampling.folds.set_open(*_names(state.get("folds", [state.get("fold")])))
        p.window.set_recent(p.settings.recent)
        last = p.settings.last_model
        if not (last and p.models.choose(last)):
            if not p.models.choose("digits"):
                p.models.choose_first()
            if last:
                self._picking.choose(last)  # in a folder that has not been looked through yet
        p.models.tree.setFocus()

    def save(self) -> None:
        """Write the settings and how the window stands."""
        p = self.parts
        p.settings.seed_locked = p.sampling.seed.lock.isChecked()
        p.settings.seed_each_run = p.sampling.seed.each.isChecked()
        p.settings.remember_requests(p.sampling.state())
        p.settings.window = {
            "layout": p.window.state(),
            "canvas": p.canvas.state(),
            "timeline": p.timeline.state(),
            "folds": p.sampling.folds.state(),
        }
        found, problem = save_shared(p.settings, self._base, self._file)
        self._take(found)
        self._base, self._written = found.model_copy(deep=True), _stamp(self._file)
        self._watch()
        if problem:
            log.warning("%s", problem)
            p.window.say(problem)

    @Slot()
    def keep_presets(self) -> None:
        """Write presets as soon as they are changed: other windows have them at once, and nothing can lose them."""
        if self.parts.settings.presets != self._base.presets:
            self.save()

    @Slot()
    def learn(self) -> None:
        """Take what another window has written since; what was changed here stays."""
        stamp = _stamp(self._file)
        if stamp in (None, self._written):
            return
        theirs, settings = read_shared(self._file, self._base), self.parts.settings
        before = settings.theme
        own = {name: getattr(settings, name) for name in OWN}
        self._take(merged(self._base, settings, theirs).model_copy(update=own))
        self._base, self._written = theirs.model_copy(deep=True), stamp
        if settings.theme != before:
            self._use_theme()
        self.learned.emit()

    def _watch(self) -> None:
        if not self._watcher.directories() and self._file.parent.is_dir():
            self._watcher.addPath(str(self._file.parent))

    def _take(self, found: Settings) -> None:
        for name in Settings.model_fields:
            if getattr(self.parts.settings, name) != getattr(found, name):
                setattr(self.parts.settings, name, getattr(found, name))

    @Slot()
    def _on_system_theme(self) -> None:
        if self.parts.settings.theme == "system":
            self._use_theme()

    def _use_theme(self) -> None:
        tokens, p = tokens_of(self.parts.settings), self.parts
        apply_theme(tokens)
        for part in (p.window, p.models, p.run_list, p.sampling, p.inspect, p.canvas, p.timeline):
            part.apply_theme(tokens)


def _stamp(file: Path) -> tuple[int, int] | None:
    """Tells one version of a file from another; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _names(found: object) -> list[str]:
    """The strings of a list that was read from a file."""
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def apply_theme(tokens: theme.Tokens) -> None:
    """To the whole application."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, tokens)


def tokens_of(settings: Settings) -> theme.Tokens:
    """The theme that is set, or the system's."""
    if settings.theme in theme.THEMES:
        return theme.THEMES[settings.theme]
    light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
    return theme.LIGHT if light else theme.DARK
