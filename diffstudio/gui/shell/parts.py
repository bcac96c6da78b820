"""Everything that one window is made of."""

from __future__ import annotations

from dataclasses import dataclass

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.gui.kit.lineup import Lineup
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.panels.inspect.panel import InspectPanel
from diffstudio.gui.panels.models.card import CardPanel
from diffstudio.gui.panels.models.panel import ModelsPanel
from diffstudio.gui.panels.runs.panel import RunsPanel
from diffstudio.gui.panels.sampling.panel import SamplingPanel
from diffstudio.gui.shell.main_window import MainWindow
from diffstudio.gui.stage.canvas import Canvas
from diffstudio.gui.timeline.timeline import Timeline
from diffstudio.gui.work.background import Background
from diffstudio.gui.work.catalog_scan import Scanning
from diffstudio.gui.work.file_reading import FileReading
from diffstudio.gui.work.jobs import Jobs
from diffstudio.gui.work.library import LibraryWork
from diffstudio.gui.work.runs import Runs
from diffstudio.studio.app.settings import Settings


@dataclass
class Parts:
    """Built by `app`, used by the actions."""

    window: MainWindow
    catalog: Catalog
    settings: Settings
    playhead: Playhead
    lineup: Lineup
    runs: Runs
    library: LibraryWork
    files: Jobs
    reading: FileReading
    background: Background
    scanning: Scanning
    models: ModelsPanel
    card: CardPanel
    run_list: RunsPanel
    sampling: SamplingPanel
    inspect: InspectPanel
    canvas: Canvas
    timeline: Timeline
