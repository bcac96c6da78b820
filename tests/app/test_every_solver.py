"""Every solver that the window offers: chosen there, run, and its chain scrubbed step by step."""

import numpy as np
import pytest

from diffstudio import options
from diffstudio.studio.checks import solver_problem


@pytest.mark.slow
def test_each_can_be_chosen_and_its_chain_scrubbed(studio, generate):
    parts, panel = studio.parts, studio.parts.sampling
    assert parts.models.choose("exact-gaussian")  # needs no network, so that it is quick
    parts.window.show()
    panel.samples.setValue(3)
    panel.steps.set_value(3)
    ran = []
    for name in options.SOLVERS:
        if not panel.solver.can_choose(name):
            assert solver_problem(panel.card, name), f"{name} is held back without a reason"
            continue
        panel.solver.set_value(name)
        assert generate().outcome == "done", name
        trace = parts.runs.trace
        assert trace.complete and trace.header.request["solver"] == name
        for k in range(len(trace)):
            parts.playhead.move_to(k)
            parts.canvas.grab()
            assert parts.playhead.position == k
            assert np.isfinite(trace.array(k, "xt")).all(), f"{name}, record {k}"
        ran.append(name)
    assert set(options.SOLVERS) - set(ran) == {"ddpm_learned"}  # no bundled network has learned its variance
