"""Every action of the window, as data: one table feeds menus, toolbar, tooltips, the command palette and F1."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QKeySequence

from diffstudio.gui.kit.words import tr

MENUS = ("File", "Edit", "View", "Sample", "Run", "Library", "Timeline", "Help")
SAMPLE = "sample"  # enabled one by one, as `controllers.samples` finds them possible
RUNS = "runs"  # enabled one by one, as `controllers.runs` finds them possible
VIEW = "view"  # where the view on the canvas has it: among its `verbs`, which do it, or its `options`


@dataclass(frozen=True)
class Action:
    """`when`: the state in which it is enabled ("always", "trace", "run", "busy", "idle", "split", "fork", "previous",
    "undo", "redo"), VIEW, SAMPLE or RUNS.

    keys: portable texts of QKeySequence, the first is shown. list_keys: those that it has instead while the list of
    runs has the keyboard. checkable: it has an on and an off.
    """

    id: str
    title: str
    menu: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    when: str = "always"
    icon: str = ""
    checkable: bool = False
    list_keys: tuple[str, ...] = ()
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
    Action("show_saved", "Show in folder", "File", (), "Open the folder of what was saved last."),
    Action("copy_picture", "Copy picture", "File", ("Ctrl+Shift+C",), "Copy what the canvas shows.", "trace"),
    Action("copy_text", "Copy text", "File", ("Ctrl+C",), "Copy the selected sample as text.", VIEW),
    Action("copy_texts", "Copy all texts", "File", ("Ctrl+Alt+C",), "Copy all samples as text, a line each.", VIEW),
    Action("quit", "Quit", "File", ("Ctrl+Q",), "Close the window; a run is stopped and kept.", separator=True),
    Action("undo", "Undo setting", "Edit", ("Ctrl+Z",), "Take back the last change of the sampling panel.", "undo"),
    Action(
        "redo", "Redo setting", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y"), "Make the change again that was taken back.", "redo"
    ),
    Action("reset", "Reset sampling", "Edit", (), "Set every field to the model's own defaults.", icon="reset"),
    Action(
        "save_preset",
        "Save as preset…",
        "Edit",
        ("Ctrl+Shift+S",),
        "Keep these settings under a name.",
        "idle",
        separator=True,
    ),
    Action("presets", "Presets…", "Edit", (), "Use, rename or delete saved settings."),
    Action("copy_request", "Copy settings as JSON", "Edit", (), "Copy the request for the command line or a script."),
    Action("copy_command", "Copy as command", "Edit", (), "Copy the line that makes this run in a terminal."),
    Action("copy_name", "Copy name", "Edit", (), "Copy what commands know the chosen checkpoint by."),
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
    Action("trails", "Trails", "View", ("T",), "The path of each point over the last steps.", VIEW, checkable=True),
    Action("underlay", "Data underlay", "View", ("U",), "Fresh data below the samples.", VIEW, checkable=True),
    Action("arrows", "Score arrows", "View", ("A",), "The score ∇ log p_t at the playhead.", VIEW, checkable=True),
    Action("density", "Density", "View", ("D",), "Contours of the cloud's density.", VIEW, checkable=True),
    Action(
        "log_p",
        "log p",
        "View",
        ("P",),
        "The model's own density of clean data as a map, in nats; interpolated where it is far below the highest.",
        VIEW,
        checkable=True,
    ),
    Action(
        "decoded",
        "Decode this step",
        "View",
        ("Shift+D",),
        "The autoencoder's own pictures of the step at the playhead, instead of the quick colours of its latents.",
        VIEW,
        checkable=True,
    ),
    Action(
        "stretch",
        "Stretch each sample",
        "View",
        ("H",),
        "Show each sample from its own lowest value to its highest, not from −1 to 1: what lies outside is seen too.",
        VIEW,
        checkable=True,
    ),
    Action("outline", "Outline of the mask", "View", ("Q",), "What was drawn anew, outlined.", VIEW, checkable=True),
    Action(
        "before", "Before", "View", ("B",), "What the run started from, in place of the step.", VIEW, checkable=True
    ),
    Action("clip_play", "Play / pause the clips", "View", ("V",), "Play the frames at this step.", VIEW),
    Action("frame_back", "Previous frame", "View", (",",), "The frame before, at this step.", VIEW),
    Action("frame_on", "Next frame", "View", (".",), "The frame after, at this step.", VIEW),
    Action("play_sound", "Play / stop the sound", "View", ("S",), "Play the selected sample at this step.", VIEW),
    Action("ghosts", "Guesses", "View", ("W",), "What the network guesses behind the masks.", VIEW, checkable=True),
    Action("entropy", "Entropy", "View", ("E",), "How unsure the network is of each cell.", VIEW, checkable=True),
    Action("revealed", "When it was set", "View", ("R",), "The step that set each letter.", VIEW, checkable=True),
    Action(
        "page_values", "Inspect values", "View", ("Alt+1",), "Histogram of the values at the playhead.", separator=True
    ),
    Action("page_norms", "Inspect norms", "View", ("Alt+2",), "How much every step changes."),
    Action("page_trajectories", "Inspect PCA", "View", ("Alt+3",), "The samples' way through the chains in a plane."),
    Action(
        "page_known",
        "Nearest training samples",
        "View",
        ("Alt+4", "N"),
        "Whether the selected sample is new, or a copy.",
    ),
    Action("inspect_large", "Large inspector", "View", ("Ctrl+I",), "As large as the canvas; Esc puts it back."),
    Action("find_model", "Find a model", "View", ("Ctrl+F",), "Go to the search field of the picker.", separator=True),
    Action("toggle_theme", "Dark / light", "View", ("Ctrl+Shift+L",), "Change the theme.", icon="theme"),
    Action("reset_layout", "Reset window layout", "View", (), "Put every panel back where it was first."),
    Action("save_sample", "Save this sample…", "Sample", ("Ctrl+Shift+E",), "Save the selected sample alone.", SAMPLE),
    Action("copy_sample", "Copy its picture", "Sample", (), "Copy the picture of the selected sample.", SAMPLE),
    Action("copy_values", "Copy its values", "Sample", (), "Copy its recorded numbers as a table.", SAMPLE),
    Action(
        "start_from",
        "Start from this",
        "Sample",
        (),
        "The next run starts from this sample: from its end as data, else from this step.",
        SAMPLE,
        separator=True,
    ),
    Action("vary", "Vary this one", "Sample", (), "Run: other samples from noise near that of this one.", SAMPLE),
    Action("fork_sample", "Fork this one here", "Sample", (), "Go on from this step with this sample alone.", SAMPLE),
    Action("browse_data", "Start from a data sample…", "Sample", (), "Choose one of the model's own data.", SAMPLE),
    Action(
        "sample_next", "Next sample", "Sample", ("Alt+Right",), "Select the sample after this.", "trace", separator=True
    ),
    Action("sample_previous", "Previous sample", "Sample", ("Alt+Left",), "Select the sample before this.", "trace"),
    Action("sample_below", "Sample below", "Sample", ("Alt+Down",), "Select the sample a row further down.", "trace"),
    Action("sample_above", "Sample above", "Sample", ("Alt+Up",), "Select the sample a row further up.", "trace"),
    Action(
        "context_menu",
        "What can be done here",
        "Sample",
        ("Shift+F10",),
        "The menu of the selected sample, or of what has the keyboard.",
        separator=True,
    ),
    Action("generate", "Generate", "Run", ("Ctrl+Enter", "Ctrl+Return"), "Run the model.", "idle", "play"),
    Action("stop", "Stop", "Run", ("Esc",), "Stop before the next network call; what is done is kept.", "busy", "stop"),
    Action("fork", "Fork here", "Run", ("F",), "Continue from this step with the panel's settings.", "fork", "fork"),
    Action("new_seed", "New seed", "Run", ("Ctrl+D",), "Roll the dice, unless the seed is locked.", icon="dice"),
    Action(
        "seed_each_run",
        "New seed each run",
        "Run",
        ("Ctrl+Shift+D",),
        "Every run begins with a seed of its own, which stays in the field; the lock prevents it.",
        icon="each",
        checkable=True,
    ),
    Action(
        "lock_seed",
        "Lock seed",
        "Run",
        ("Ctrl+Alt+D",),
        "Keep this seed: neither the dice nor “New seed each run” change it.",
        icon="lock",
        checkable=True,
    ),
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
    Action("find_run", "Find a run", "Library", ("Ctrl+R",), "Go to the search field of the runs."),
    Action(
        "runs_open",
        "Open run",
        "Library",
        (),
        "Show this run on the canvas.",
        RUNS,
        separator=True,
        list_keys=("Return", "Enter"),
    ),
    Action("runs_use", "Use its settings", "Library", (), "Set the sampling panel as this run was made.", RUNS),
    Action("runs_command", "Copy run as command", "Library", (), "Copy the line that makes it in a terminal.", RUNS),
    Action("runs_folder", "Show run in folder", "Library", (), "Open the folder in which its trace lies.", RUNS),
    Action(
        "runs_star",
        "Star",
        "Library",
        (),
        "Mark these runs, or take the mark away: nothing that makes room takes a starred one.",
        RUNS,
        separator=True,
        list_keys=("S", "*"),
    ),
    Action("runs_rename", "Rename run…", "Library", (), "Give this run a name.", RUNS, list_keys=("F2",)),
    Action("runs_note", "Tags and note…", "Library", (), "Write down what is worth knowing of these runs.", RUNS),
    Action("runs_delete", "Delete runs", "Library", (), "Put these runs into the trash.", RUNS, list_keys=("Del",)),
    Action(
        "runs_undo",
        "Undo deleting",
        "Library",
        (),
        "Bring back what was deleted last.",
        RUNS,
        list_keys=("Ctrl+Z",),
    ),
    Action(
        "runs_export",
        "Export runs…",
        "Library",
        (),
        "Write these runs, with names and notes, into one file.",
        RUNS,
        separator=True,
    ),
    Action("runs_import", "Import runs…", "Library", (), "Bring in runs of a .runs file, or traces."),
    Action("runs_trash", "Trash", "Library", (), "Show what was deleted, or the runs again.", checkable=True),
    Action("runs_restore", "Restore runs", "Library", (), "Bring these runs back from the trash.", RUNS),
    Action("runs_empty", "Empty the trash…", "Library", (), "Delete for good what is in the trash."),
    Action("runs_room", "Make room…", "Library", (), "Choose which runs may go where they take too much room."),
    Action("play", "Play / pause", "Timeline", ("Space",), "Play the recorded steps.", "trace", "play"),
    Action("play_back", "Play backwards", "Timeline", ("J",), "Again for double speed; with K held slowly.", "trace"),
    Action("halt", "Stop playing", "Timeline", ("K",), "Stop and stay; the speed is the chosen one again.", "trace"),
    Action("play_forward", "Play forwards", "Timeline", ("L",), "Again for double speed; with K held slowly.", "trace"),
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
        "next_parting",
        "Where the runs part",
        "Timeline",
        ("Shift+N",),
        "Go to the first step at which a compared run differs from this one; again: to the next run's.",
        "trace",
    ),
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


def why_not(action_id: str) -> str:
    """Why an action is disabled, as far as its `when` says it; in a few words."""
    reasons = {
        "trace": tr("nothing is generated yet"),
        "idle": tr("no model is chosen"),
        "busy": tr("nothing runs"),
        "run": tr("nothing runs"),
        "split": tr("the halves of guidance were not recorded"),
        "fork": tr("only a noisy step of the reverse chain goes on"),
        "previous": tr("there is no run before this one"),
        "undo": tr("nothing to take back"),
        "redo": tr("nothing was taken back"),
        VIEW: tr("not of what the canvas shows"),
    }
    return reasons.get(ACTIONS[action_id].when, "")


def title(action_id: str) -> str:
    """The translated title."""
    return tr(ACTIONS[action_id].title)


def key_text(key: str) -> str:
    """A key as this platform and its keyboards write it: what Qt calls Return says Enter there."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")


def key_texts(action_id: str) -> list[str]:
    """All keys of an action, each once."""
    row = ACTIONS[action_id]
    return list(dict.fromkeys(key_text(key) for key in row.keys or row.list_keys))


def shortcut_text(action_id: str) -> str:
    """Its first key, or ""."""
    return next(iter(key_texts(action_id)), "")


def tooltip(action_id: str) -> str:
    """One sentence and the key, for buttons that trigger the action."""
    key = shortcut_text(action_id)
    return tr(ACTIONS[action_id].tip or ACTIONS[action_id].title) + (f"  ({key})" if key else "")
