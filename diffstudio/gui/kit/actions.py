"""Every action of the window, as data: one table feeds menus, toolbar, tooltips, the command palette and F1."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QKeySequence

from diffstudio.gui.kit.words import tr

MENUS = ("File", "Edit", "View", "Run", "Timeline", "Help")


@dataclass(frozen=True)
class Action:
    """`when`: the state in which it is enabled ("always", "trace", "run", "busy", "idle", "points", "image", "video",
    "text", "audio", "latent", "split", "undo", "redo").

    keys: portable texts of QKeySequence, the first is shown. checkable: it has an on and an off.
    """

    id: str
    title: str
    menu: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    when: str = "always"
    icon: str = ""
    checkable: bool = False
    separator: bool = False  # a line above it in its menu


def _table(*rows: Action) -> dict[str, Action]:
    return {row.id: row for row in rows}


ACTIONS: dict[str, Action] = _table(
    Action("open", "Open…", "File", ("Ctrl+O",), "Open a checkpoint, a trace, a picture or an array.", icon="open"),
    Action("open_trace", "Open trace…", "File", ("Ctrl+Shift+O",), "Reopen a recorded run; no model is needed."),
    Action("save_trace", "Save trace…", "File", ("Ctrl+S",), "Keep this run as a .trace file.", "trace"),
    Action("paste", "Open pasted path", "File", ("Ctrl+V",), "Open the file or folder whose path was copied."),
    Action("write_card", "Write a card for weights…", "File", (), "Say what bare weights of our networks are."),
    Action("add_folder", "Add checkpoint folder…", "File", (), "List the checkpoints of another folder."),
    Action("show_model", "Show checkpoint in its folder", "File", (), "Open the folder of the chosen checkpoint."),
    Action(
        "export",
        "Export…",
        "File",
        ("Ctrl+E",),
        "Save pictures, animations, arrays.",
        "trace",
        "export",
        separator=True,
    ),
    Action("copy_picture", "Copy picture", "File", ("Ctrl+Shift+C",), "Copy what the canvas shows.", "trace"),
    Action("copy_text", "Copy text", "File", ("Ctrl+C",), "Copy the selected sample as text.", "text"),
    Action("copy_texts", "Copy all texts", "File", ("Ctrl+Alt+C",), "Copy all samples as text, a line each.", "text"),
    Action("quit", "Quit", "File", ("Ctrl+Q",), "Close the window; a run is stopped and kept.", separator=True),
    Action("undo", "Undo setting", "Edit", ("Ctrl+Z",), "Take back the last change of the sampling panel.", "undo"),
    Action(
        "redo", "Redo setting", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y"), "Make the change again that was taken back.", "redo"
    ),
    Action("reset", "Reset sampling", "Edit", (), "Set every field to the model's own defaults.", icon="reset"),
    Action("copy_request", "Copy settings as JSON", "Edit", (), "Copy the request for the command line or a script."),
    Action("copy_command", "Copy as command", "Edit", (), "Copy the line that makes this run in a terminal."),
    Action("favourite", "Favourite", "Edit", ("Ctrl+Shift+F",), "Put the chosen model on top of the list, or back."),
    Action("settings", "Settings…", "Edit", ("Ctrl+,",), "Trace budget, theme, threads, folders.", separator=True),
    Action("flip", "Flip x_t / x̂0", "View", ("X",), "Show the state, or what the model makes of it.", "trace"),
    Action("tensor_xt", "Show x_t", "View", ("1",), "The state of the chain.", "trace", separator=True),
    Action("tensor_x0_hat", "Show x̂0", "View", ("2",), "The clean sample that the model predicts.", "trace"),
    Action("tensor_eps_hat", "Show ε̂", "View", ("3",), "The noise that the model sees in x_t.", "trace"),
    Action("tensor_delta", "Show Δ", "View", ("4",), "What the last step changed.", "trace"),
    Action("tensor_x0_cond", "Show x̂0 class", "View", ("5",), "The prediction with the class, unguided.", "split"),
    Action("tensor_x0_free", "Show x̂0 free", "View", ("6",), "The prediction that guidance leads away from.", "split"),
    Action("tensor_split", "Show class − free", "View", ("7",), "The direction that guidance goes along.", "split"),
    Action(
        "toggle_single",
        "Grid / single",
        "View",
        ("G",),
        "All samples, or one that fills the view.",
        "trace",
        "grid",
        separator=True,
    ),
    Action("fit_view", "Fit to view", "View", ("0",), "Undo zoom and pan.", "trace"),
    Action("trails", "Trails", "View", ("T",), "The path of each point over the last steps.", "points", checkable=True),
    Action("underlay", "Data underlay", "View", ("U",), "Fresh data below the samples.", "points", checkable=True),
    Action("arrows", "Score arrows", "View", ("A",), "The score ∇ log p_t at the playhead.", "points", checkable=True),
    Action("density", "Density", "View", ("D",), "Contours of the cloud's density.", "points", checkable=True),
    Action(
        "log_p",
        "log p",
        "View",
        ("P",),
        "The model's own density of clean data as a map, in nats; interpolated where it is far below the highest.",
        "points",
        checkable=True,
    ),
    Action(
        "decoded",
        "Decode this step",
        "View",
        ("Shift+D",),
        "The autoencoder's own pictures of the step at the playhead, instead of the quick colours of its latents.",
        "latent",
        checkable=True,
    ),
    Action("clip_play", "Play / pause the clips", "View", ("V",), "Play the frames at this step.", "video"),
    Action("frame_back", "Previous frame", "View", (",",), "The frame before, at this step.", "video"),
    Action("frame_on", "Next frame", "View", (".",), "The frame after, at this step.", "video"),
    Action("play_sound", "Play / stop the sound", "View", ("S",), "Play the selected sample at this step.", "audio"),
    Action("ghosts", "Guesses", "View", ("W",), "What the network guesses behind the masks.", "text", checkable=True),
    Action("entropy", "Entropy", "View", ("E",), "How unsure the network is of each cell.", "text", checkable=True),
    Action("revealed", "When it was set", "View", ("R",), "The step that set each letter.", "text", checkable=True),
    Action("find_model", "Find a model", "View", ("Ctrl+F",), "Go to the search field of the picker.", separator=True),
    Action("toggle_theme", "Dark / light", "View", ("Ctrl+Shift+L",), "Change the theme.", icon="theme"),
    Action("reset_layout", "Reset window layout", "View", (), "Put every panel back where it was first."),
    Action("generate", "Generate", "Run", ("Ctrl+Enter", "Ctrl+Return"), "Run the model.", "idle", "play"),
    Action("stop", "Stop", "Run", ("Esc",), "Stop before the next network call; what is done is kept.", "busy", "stop"),
    Action("fork", "Fork here", "Run", ("F",), "Continue from this step with the panel's settings.", "fork", "fork"),
    Action("new_seed", "New seed", "Run", ("Ctrl+D",), "Roll the dice, unless the seed is locked.", icon="dice"),
    Action(
        "compare",
        "Previous run",
        "Run",
        ("Ctrl+B",),
        "Go back and forth between this run and the one before.",
        "previous",
    ),
    Action(
        "likelihood",
        "Likelihood of the data…",
        "Run",
        (),
        "How likely the model finds data: log p and bits per dimension.",
        "idle",
        separator=True,
    ),
    Action("play", "Play / pause", "Timeline", ("Space", "K"), "Play the recorded steps.", "trace", "play"),
    Action("play_back", "Play backwards", "Timeline", ("J",), "Play from sample to data.", "trace"),
    Action("play_forward", "Play forwards", "Timeline", ("L",), "Play; again for double speed.", "trace"),
    Action(
        "step_back",
        "Step back",
        "Timeline",
        ("Left",),
        "One step towards the data.",
        "trace",
        "previous",
        separator=True,
    ),
    Action("step_on", "Step on", "Timeline", ("Right",), "One step towards the sample.", "trace", "next"),
    Action("ten_back", "Ten steps back", "Timeline", ("Shift+Left",), "Ten steps back.", "trace"),
    Action("ten_on", "Ten steps on", "Timeline", ("Shift+Right",), "Ten steps on.", "trace"),
    Action("first", "First step", "Timeline", ("Home",), "The first recorded step.", "trace", "first"),
    Action("last", "Last step, follow", "Timeline", ("End",), "The newest step, and follow the run.", "trace", "last"),
    Action(
        "marker",
        "Set marker",
        "Timeline",
        ("M",),
        "Mark this step, or take the mark away.",
        "trace",
        "marker",
        separator=True,
    ),
    Action("next_marker", "Next marker", "Timeline", ("Ctrl+Right",), "Go to the next marker.", "trace"),
    Action("previous_marker", "Previous marker", "Timeline", ("Ctrl+Left",), "Go to the previous marker.", "trace"),
    Action(
        "range_in", "Range starts here", "Timeline", ("I",), "Playback stays in the range.", "trace", separator=True
    ),
    Action("range_out", "Range ends here", "Timeline", ("O",), "Playback stays in the range.", "trace"),
    Action("range_clear", "Clear range", "Timeline", ("Shift+I",), "Play everything again.", "trace"),
    Action(
        "loop",
        "Loop: once, loop, ping-pong",
        "Timeline",
        ("Shift+L",),
        "What happens at the end.",
        "trace",
        "loop",
        separator=True,
    ),
    Action("faster", "Faster", "Timeline", ("]",), "Double the playback speed, up to 8×.", "trace"),
    Action("slower", "Slower", "Timeline", ("[",), "Halve the playback speed, down to ¼×.", "trace"),
    Action(
        "zoom_in",
        "Zoom in",
        "Timeline",
        ("+", "="),
        "Stretch the timeline about the playhead.",
        "trace",
        separator=True,
    ),
    Action("zoom_out", "Zoom out", "Timeline", ("-",), "Show more of the timeline.", "trace"),
    Action("zoom_fit", "Whole timeline", "Timeline", ("Shift+0",), "Show both chains whole.", "trace"),
    Action("next_clock", "Next clock", "Timeline", ("C",), "Step, t, σ, log-SNR or NFE along the axis.", "trace"),
    Action(
        "palette",
        "Command palette…",
        "Help",
        ("Ctrl+K", "Ctrl+Shift+P"),
        "Find any command by its name.",
        icon="search",
    ),
    Action("keys", "Keys", "Help", ("F1",), "All keys on one page."),
    Action("proofs", "Proofs of the mathematics…", "Help", (), "What was measured, and what it must be."),
    Action("about", "About DiffStudio", "Help", (), "Version, licence, credits.", separator=True),
)


def title(action_id: str) -> str:
    """The translated title."""
    return tr(ACTIONS[action_id].title)


def key_text(key: str) -> str:
    """A key as this platform and its keyboards write it: what Qt calls Return says Enter there."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")


def key_texts(action_id: str) -> list[str]:
    """All keys of an action, each once."""
    return list(dict.fromkeys(key_text(key) for key in ACTIONS[action_id].keys))


def shortcut_text(action_id: str) -> str:
    """Its first key, or ""."""
    return next(iter(key_texts(action_id)), "")


def tooltip(action_id: str) -> str:
    """One sentence and the key, for buttons that trigger the action."""
    key = shortcut_text(action_id)
    return tr(ACTIONS[action_id].tip or ACTIONS[action_id].title) + (f"  ({key})" if key else "")
