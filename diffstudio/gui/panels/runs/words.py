"""What is said of a run in a list: two lines, a tip, and all of it to a screen reader."""

from __future__ import annotations

from PySide6.QtCore import QDate, QDateTime, QLocale

from diffstudio.gui.kit.words import count, duration, number, size, tr
from diffstudio.gui.panels.models.facts import short_path, tip
from diffstudio.studio.library.run import Run

LONG = 300  # letters of a prompt or note in a tip


def state_words() -> dict[str, str]:
    """What the states are called."""
    return {
        "queued": tr("Queued"), "running": tr("Running"), "done": tr("Done"), "stopped": tr("Stopped"),
        "failed": tr("Failed"), "interrupted": tr("Interrupted"),
    }  # fmt: skip


def state_word(run: Run, missing: bool) -> str:
    """What is to be said of its state, "" where there is nothing: it is done and there."""
    if missing and run.records:
        return tr("File gone")
    return "" if run.state == "done" else state_words()[run.state]


def title_line(run: Run) -> str:
    """Its name or its model, and what it was asked for."""
    asked = run.label or run.prompt or (run.source if run.source not in ("noise", "data") else "")
    return f"{run.title} · {asked}" if asked else run.title


def detail_line(run: Run) -> str:
    """When, solver, steps and seed, the first that differ first."""
    made = f"{run.solver} {count(run.steps)}" if run.kind == "sample" else tr("forward {}").format(count(run.steps))
    return " · ".join([when(run.created), made, tr("seed {}").format(run.seed)])


def when(seconds: float) -> str:
    """The time of today, else the day."""
    then, locale = QDateTime.fromSecsSinceEpoch(int(seconds)), QLocale()
    if then.date() == QDate.currentDate():
        return locale.toString(then.time(), QLocale.FormatType.ShortFormat)
    return locale.toString(then.date(), QLocale.FormatType.ShortFormat)


def tip_of(run: Run, missing: bool) -> str:
    """Everything that is worth knowing of it, a line each."""
    return tip("\n".join(filter(None, lines(run, missing))))


def lines(run: Run, missing: bool) -> list[str]:
    """The same as plain lines, "" where there is nothing to say."""
    moment = QLocale().toString(QDateTime.fromSecsSinceEpoch(int(run.created)), QLocale.FormatType.ShortFormat)
    state = state_words()[run.state] + (" ★" if run.star else "")
    guided = tr("guidance {}").format(number(run.guidance, 1)) if run.guidance != 1 else ""
    made = [f"{run.solver}, {count(run.steps)}" if run.kind == "sample" else "", guided, run.precision]
    spent = [duration(run.seconds) if run.seconds else "", run.device, size(run.bytes) if run.bytes else ""]
    return [
        title_line(run)[:LONG],
        run.checkpoint if run.name else "",
        f"{state}, {moment}",
        ", ".join(filter(None, [*made, tr("seed {}").format(run.seed), tr("{} samples").format(count(run.samples))])),
        ", ".join(filter(None, spent)),
        run.problem,
        " ".join(f"#{tag}" for tag in run.tags),
        run.note[:LONG],
        tr("Its trace is not at {} any more.").format(short_path(run.file)) if missing and run.records else "",
    ]


def spoken(run: Run, missing: bool) -> str:
    """All of a row in one sentence."""
    star = tr("starred") if run.star else ""
    return ", ".join(filter(None, [title_line(run)[:LONG], detail_line(run), state_word(run, missing), star]))
