"""What can be chosen: solvers, paths, grids, predictions, guidance. Plain data for panel, command line and mathematics.

A row here and a function of the same name in `diffstudio.diffusion` are held against each other by a test.
"""

from diffstudio.options.grids import GRIDS
from diffstudio.options.guidance import GUIDANCE
from diffstudio.options.networks import NETWORKS, PREDICTIONS
from diffstudio.options.paths import PATHS
from diffstudio.options.rows import Choice, GridOption, NetworkOption, Param, PathOption, SolverOption
from diffstudio.options.runs import CLIPS, FORWARD_MODES, NOISES, SOURCES
from diffstudio.options.solvers import SOLVERS

__all__ = [
    "CLIPS",
    "FORWARD_MODES",
    "GRIDS",
    "GUIDANCE",
    "NETWORKS",
    "NOISES",
    "PATHS",
    "PREDICTIONS",
    "SOLVERS",
    "SOURCES",
    "Choice",
    "GridOption",
    "NetworkOption",
    "Param",
    "PathOption",
    "SolverOption",
]
