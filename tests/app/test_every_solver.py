"""Every solver that the window offers: chosen there, run, and its chain scrubbed step by step."""

import numpy as np
import pytest

from diffstudio import options
from diffstudio.studio.request.checks import solver_problem

EXACT = "exact-gaussian"  # needs no network, so that it is quick
MODELS = {"ddpm_learned": "shapes-ddpm", "tokens_ancestral": "words", "tokens_surest": "words"}


@pytest.mark.slow
def test_each_can_be_chosen_and_its_chain_scrubbed(studio, generate):
    parts, panel = studio.parts, studio.parts.sampling
    parts.window.show()
    for name in sorted(options.SOLVERS, key=lambda name: MODELS.get(name, "")):
        assert parts.models.choose(MODELS.get(name, EXACT))
        for other in options.SOLVERS:
            assert panel.solver.can_choose(other) == (not solver_problem(panel.card, other)), other
        panel.samples.setValue(3)
        panel.steps.set_value(3)
        panel.solver.set_value(name)
        assert generate().outcome == "done", name
        trace = parts.runs.trace
        assert trace.complete and trace.header.request["solver"] == name
        for k in range(len(trace)):
            parts.playhead.move_to(k)
            parts.canvas.grab()
            assert parts.playhead.position == k
            assert np.isfinite(trace.array(k, "xt")).all(), f"{name}, record {k}"
