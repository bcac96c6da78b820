"""What the palette finds: actions, models and checkpoints, fields of the panel with values, settings, pages of help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, get_args, get_origin

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QWidget

from diffstudio.gui.dialogs.palette import Command, Palette
from diffstudio.gui.kit import actions
from diffstudio.gui.kit.actions import ACTIONS
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.rows import Row
from diffstudio.gui.panels.sampling.label_field import LabelField
from diffstudio.gui.shell.docks import TITLES
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.timeline.clock_switch import clock_title
from diffstudio.gui.timeline.clocks import CLOCKS
from diffstudio.resources import resource
from diffstudio.studio.app.settings import Settings

HELP = (
    ("formats", "Files that can be opened"), ("text", "Models of text"), ("audio", "Models of sound"),
    ("video", "Models of clips"), ("proofs", "Proofs, as a table"), ("modalities", "Adding a modality"),
)  # fmt: skip


class PaletteController(QObject):
    """Opens the palette, and remembers what was done with it."""

    def __init__(
        self,
        parts: Parts,
        why: Callable[[str], str],
        use_settings: Callable[[Settings], None],
        preferences: Callable[[str], object],
    ) -> None:
        """why: an action is disabled.  preferences: opens the dialog of settings at a field."""
        super().__init__(parts.window)
        self._parts, self._why = parts, why
        self._use_settings, self._preferences = use_settings, preferences

    def open(self) -> None:
        """Show it."""
        dialog = Palette(list(self.commands()), self._parts.settings.palette_recent, self._parts.window)
        dialog.chosen.connect(self._on_chosen)
        dialog.show()

    @Slot(object)
    def _on_chosen(self, command: Command) -> None:
        settings = self._parts.settings
        name = command.id.removeprefix("=").partition("=")[0]
        settings.palette_recent = [name, *(other for other in settings.palette_recent if other != name)][:20]
        command.run()

    def commands(self) -> Iterator[Command]:
        """Everything that can be found."""
        yield from self._actions()
        yield from self._fields()
        yield from self._models()
        yield from self._presets()
        yield from self._panels()
        yield from self._settings()
        yield from self._help()

    def _actions(self) -> Iterator[Command]:
        for name, row in ACTIONS.items():
            if name != "palette":
                action = self._parts.window.actions_by_id[name]
                keys = actions.shortcut_text(name)
                yield Command(
                    name, tr(row.menu), actions.title(name), action.trigger, keys, tr(row.tip), self._why(name)
                )

    # -- the sampling panel

    def _fields(self) -> Iterator[Command]:
        panel = self._parts.sampling
        if panel.card is None:
            return
        for name, row in panel.all_rows().items():
            if row.isHidden():
                continue
            problem = "" if row.field.isEnabled() else tr("not with these settings")
            title, go = row.heading.text(), partial(self._show_field, name)
            if isinstance(row.field, QComboBox):
                yield Command(f"field {name}", tr("Sampling"), title, go, "", name, problem)
                yield from self._choices(name, row, problem)
            elif isinstance(row.field, QCheckBox):
                words = f"{name} {row.field.text()}"
                yield Command(
                    f"field {name}", tr("Sampling"), row.field.text() or title, partial(self._toggle, name), "", words,
                    problem,
                )  # fmt: skip
            elif isinstance(row.field, LabelField):
                yield Command(f"field {name}", tr("Sampling"), title, go, "", name, problem)
                yield from self._classes(name, row, problem)
            else:
                takes = partial(self._typed, name, row, title) if _is_number(row.field) and not problem else None
                yield Command(f"field {name}", tr("Sampling"), title, go, "", name, problem, takes)

    def _choices(self, name: str, row: Row, problem: str) -> Iterator[Command]:
        combo: Any = row.field
        for i in range(combo.count()):
            value = combo.itemData(i)
            usable = not hasattr(combo, "can_choose") or combo.can_choose(value)
            yield Command(
                f"field {name} {value}", row.heading.text(), combo.itemText(i), partial(self._set, name, value), "",
                f"{name} {value}", problem or ("" if usable else tr("not with this model")),
            )  # fmt: skip

    def _classes(self, name: str, row: Row, problem: str) -> Iterator[Command]:
        card = self._parts.sampling.card
        named: list[tuple[int | str | None, str]] = [(None, tr("any")), ("each", tr("each"))]
        named += list(enumerate(card.labels if card is not None else ()))
        for value, text in named:
            run = partial(self._set, name, value)
            yield Command(f"field {name} {value}", row.heading.text(), text, run, "", name, problem)

    def _typed(self, name: str, row: Row, title: str, text: str) -> Command | None:
        """The command for a number behind a field's name; one that is out of bounds says them."""
        value = _number(text)
        if value is None:
            return None
        low, high, whole = _bounds(row.field)
        problem = "" if low <= value <= high else tr("{} to {}").format(f"{low:g}", f"{high:g}")
        if whole and value != int(value):
            problem = tr("a whole number")
        run = partial(self._set, name, int(value) if whole and not problem else value)
        return Command(f"=field {name}={text}", tr("Set"), f"{title} {text}", run, problem=problem)

    def _set(self, name: str, value: Any) -> None:
        p = self._parts
        p.window.bring_up("sampling")
        p.sampling.all_rows()[name].field.set_value(value)
        p.sampling.reveal(name)

    def _toggle(self, name: str) -> None:
        field = self._parts.sampling.all_rows()[name].field
        self._set(name, not field.value())

    def _show_field(self, name: str) -> None:
        self._parts.window.bring_up("sampling")
        self._parts.sampling.reveal(name)

    # -- the rest of the window

    def _models(self) -> Iterator[Command]:
        for entry in self._parts.catalog.entries:
            if entry.card is None or entry.problem:
                continue
            words = f"{entry.card.title} {entry.card.modality} {entry.path.name} checkpoint"
            yield Command(f"model {entry.spec}", tr("Model"), entry.spec, partial(self._choose, entry.spec), "", words)

    def _choose(self, spec: str) -> None:
        p = self._parts
        p.models.search.clear()  # a filter would hide it
        p.window.bring_up("models")
        p.models.choose(spec)

    def _presets(self) -> Iterator[Command]:
        for name in sorted(self._parts.settings.presets):
            run = partial(self._parts.sampling.presets.chosen.emit, name)
            yield Command(f"preset {name}", tr("Preset"), name, run)

    def _panels(self) -> Iterator[Command]:
        for name, title in TITLES.items():
            run = partial(self._parts.window.bring_up, name)
            yield Command(f"panel {name}", tr("Panel"), tr(title), run, "", "show")
        for clock in CLOCKS:
            run = partial(self._parts.timeline.set_clock, clock)
            yield Command(f"clock {clock}", tr("Clock"), clock_title(clock), run, "", "timeline axis")

    def _settings(self) -> Iterator[Command]:
        for name, info in Settings.model_fields.items():
            if info.title is None:
                continue
            title, tip = tr(info.title), tr(info.description or "")
            yield Command(f"setting {name}", tr("Setting"), title, partial(self._preferences, name), "", tip)
            if get_origin(info.annotation) is Literal:
                for choice in get_args(info.annotation):
                    run = partial(self._use, name, choice)
                    yield Command(f"setting {name} {choice}", title, tr(str(choice).capitalize()), run)

    def _use(self, name: str, value: object) -> None:
        self._use_settings(self._parts.settings.model_copy(update={name: value}))

    def _help(self) -> Iterator[Command]:
        for name, title in HELP:
            run = partial(self._show_page, name, tr(title))
            yield Command(f"help {name}", tr("Help"), tr(title), run, "", "documentation")

    def _show_page(self, name: str, title: str) -> None:
        from diffstudio.gui.dialogs.page import PageDialog

        text = resource("docs", f"{name}.md").read_text(encoding="utf-8")
        PageDialog(title, text, self._parts.window).show()


def _is_number(field: QWidget) -> bool:
    spin = getattr(field, "spin", field)
    return hasattr(spin, "maximum") or hasattr(field, "dice")


def _bounds(field: Any) -> tuple[float, float, bool]:
    """The least and the largest number of a field, and whether it takes whole ones alone."""
    spin = getattr(field, "spin", field)
    if not hasattr(spin, "maximum"):
        return 0, 2**63 - 1, True  # a seed
    low, high = float(spin.minimum()), float(spin.maximum())
    whole = getattr(spin, "whole", not hasattr(spin, "decimals"))
    return low, high, bool(whole)


def _number(text: str) -> float | None:
    try:
        return float(text.replace("−", "-").replace(" ", "").replace(",", "."))
    except ValueError:
        return None
