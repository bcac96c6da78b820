"""What can be chosen: solvers, paths, grids, predictions. Plain data, read by panel, command line and mathematics.

A row here and a function of the same name in `diffstudio.diffusion` are held against each other by a test.
"""

from diffstudio.options.grids import GRIDS
from diffstudio.options.networks import NETWORKS, PREDICTIONS
from diffstudio.options.paths import PATHS
from diffstudio.options.rows import Choice, GridOption, Param, PathOption, SolverOption
from diffstudio.options.runs import CLIPS, FORWARD_MODES, SOURCES
from diffstudio.options.solvers import SOLVERS

__all__ = [
    "CLIPS",
    "FORWARD_MODES",
    "GRIDS",
    "NETWORKS",
    "PATHS",
    "PREDICTIONS",
    "SOLVERS",
    "SOURCES",
    "Choice",
    "GridOption",
    "Param",
    "PathOption",
    "SolverOption",
]
