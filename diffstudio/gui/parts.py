"""Everything that one window is made of."""

from __future__ import annotations

from dataclasses import dataclass

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.gui.background import Background
from diffstudio.gui.file_reading import FileReading
from diffstudio.gui.jobs import Jobs
from diffstudio.gui.main_window import MainWindow
from diffstudio.gui.panels.card import CardPanel
from diffstudio.gui.panels.inspect import InspectPanel
from diffstudio.gui.panels.models import ModelsPanel
from diffstudio.gui.panels.sampling import SamplingPanel
from diffstudio.gui.playhead import Playhead
from diffstudio.gui.runs import Runs
from diffstudio.gui.scanning import Scanning
from diffstudio.gui.timeline.timeline import Timeline
from diffstudio.gui.views.canvas import Canvas
from diffstudio.studio.settings import Settings


@dataclass
class Parts:
    """Built by `app`, used by the actions."""

    window: MainWindow
    catalog: Catalog
    settings: Settings
    playhead: Playhead
    runs: Runs
    files: Jobs
    reading: FileReading
    background: Background
    scanning: Scanning
    models: ModelsPanel
    card: CardPanel
    sampling: SamplingPanel
    inspect: InspectPanel
    canvas: Canvas
    timeline: Timeline
