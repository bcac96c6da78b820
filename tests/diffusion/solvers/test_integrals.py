"""The integrals of the exponential methods against quadrature."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.diffusion.solvers.integrals import moments, weights

THETA, GAUSS = (0.5 * np.polynomial.legendre.leggauss(60)[0] + 0.5, 0.5 * np.polynomial.legendre.leggauss(60)[1])


@pytest.mark.parametrize("h", [-12.0, -1.01, -1.0, -0.3, 1e-9, 0.01, 0.999, 1.0, 1.001, 3.0, 20.0])
def test_moments_are_their_integrals(h):
    for n, found in enumerate(moments(h, 5)):
        expected = (GAUSS * np.exp(h * (THETA - 1)) * THETA**n).sum()
        assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("h", [0.05, 1.4, -0.7])
@pytest.mark.parametrize("nodes", [[0.0], [0.0, -0.8], [0.0, -1.3, -2.0], [1.0, 0.0, -0.5, -2.0]])
def test_weights_integrate_every_polynomial_of_their_degree(h, nodes):
    for power in range(len(nodes)):
        found = sum(w * node**power for w, node in zip(weights(nodes, h), nodes, strict=True))
        expected = (GAUSS * np.exp(h * (THETA - 1)) * THETA**power).sum()
        assert found == pytest.approx(expected, rel=1e-11, abs=1e-12)
