"""Solvers of the reverse chain."""

from __future__ import annotations

from diffstudio.options.rows import Param, SolverOption, by_name

_DDIM_ETA = Param("eta", "η", 0.0, 0.0, 1.0, "Share of fresh noise in each step: 0 is deterministic, 1 is DDPM.")
_ANCESTRAL_ETA = Param("eta", "η", 1.0, 0.0, 1.0, "Share of fresh noise in each step: 0 is Euler, 1 is DDPM.")
_SDE_ETA = Param("eta", "η", 1.0, 0.0, 1.0, "Strength of the noise: 0 is DPM-Solver++ 2M, 1 the SDE of the paper.")
_SDE_VARIANT = Param("variant", "Variant", 1, 1, 2, "How the second term is weighted: 1 midpoint, 2 Heun.", 1, True)
_UNIPC_VARIANT = Param("variant", "B(h)", 2, 1, 2, "1 is bh1, B(h) = h; 2 is bh2, B(h) = 1 − exp(−h).", 1, True)
_TEMPERATURE = Param(
    "temperature", "Temperature", 1.0, 0.1, 2.0, "Below 1 the likely letters gain: safer, less varied."
)

SOLVERS: dict[str, SolverOption] = by_name(
    SolverOption(
        "dpmpp_2m",
        "DPM-Solver++ 2M",
        "Second-order multistep in log(a/s); few steps give good samples (Lu et al. 2022).",
        order=2,
    ),
    SolverOption(
        "unipc",
        "UniPC",
        "Multistep with a correction that costs no call: p = 1 converges at order 2, p = 2 at order 3; p = 3 at order "
        "4 from nearly pure noise, where its plain first step hardly moves, else at order 3 (Zhao et al. 2023).",
        order=3,
        params=(Param("order", "p", 2, 1, 3, "Values that the predictor looks at.", 1, True), _UNIPC_VARIANT),
    ),
    SolverOption(
        "dpmpp_3m",
        "DPM-Solver++ 3M, as shipped (order 2)",
        "Third-order by name: its widely shipped coefficients and first step converge at order 2 (Lu et al. 2022).",
        order=2,
    ),
    SolverOption(
        "dpmpp_3m_true",
        "DPM-Solver++ 3M, true (order 3)",
        "Third-order multistep with the exact coefficients and a start of two calls: converges at order 3.",
        order=3,
        evals_at_start=1,
    ),
    SolverOption(
        "deis",
        "DEIS",
        "Multistep in ε (tAB-DEIS): 2 values converge at order 2; 3 at order 3 from nearly pure noise, where the plain "
        "first step hardly moves, else 3 and 4 at order 2 with smaller errors (Zhang & Chen 2022).",
        order=2,
        params=(Param("order", "Values", 2, 1, 4, "Values of ε that a step looks at; 1 is DDIM.", 1, True),),
    ),
    SolverOption(
        "dpmpp_2s",
        "DPM-Solver++ 2S",
        "Second-order single step with a call at the middle in log(a/s), two network calls each (Lu et al. 2022).",
        order=2,
        evals_per_step=2,
    ),
    SolverOption(
        "heun",
        "Heun",
        "Second-order step of the probability-flow ODE, two network calls each; with churn it adds fresh noise first "
        "and makes three (Karras et al. 2022).",
        order=2,
        evals_per_step=2,
        params=(
            Param("s_churn", "Churn", 0.0, 0.0, 1000.0, "Fresh noise over the whole chain; 0 is deterministic.", 5.0),
            Param("s_tmin", "Churn from σ", 0.0, 0.0, 10_000.0, "Lowest σ = s/a that is churned.", 0.05),
            Param("s_tmax", "Churn to σ", 10_000.0, 0.0, 10_000.0, "Highest σ = s/a that is churned.", 1.0),
            Param("s_noise", "Churn noise", 1.0, 0.9, 1.1, "Standard deviation of the churned noise.", 0.001),
        ),
    ),
    SolverOption(
        "ddim",
        "DDIM",
        "First-order; η = 0 is deterministic, η = 1 has the noise of DDPM (Song et al. 2020).",
        order=1,
        params=(_DDIM_ETA,),
    ),
    SolverOption(
        "euler",
        "Euler",
        "First-order step of the probability-flow ODE; algebraically the same as DDIM with η = 0.",
        order=1,
    ),
    SolverOption(
        "euler_ancestral",
        "Euler ancestral",
        "Euler to a lower noise level, then fresh noise up again; algebraically the same as DDIM with that η.",
        order=None,
        stochastic=True,
        params=(_ANCESTRAL_ETA,),
        noise="fresh",
    ),
    SolverOption(
        "dpmpp_2m_sde",
        "DPM-Solver++ 2M SDE",
        "Multistep for the reverse SDE; on one Brownian path, so that more steps refine the same sample "
        "(Lu et al. 2022).",
        order=None,
        stochastic=True,
        params=(_SDE_ETA, _SDE_VARIANT),
        noise="brownian",
    ),
    SolverOption(
        "ddpm",
        "DDPM, small variance",
        "Ancestral sampling with the posterior variance β̃ (Ho et al. 2020).",
        order=None,
        stochastic=True,
        noise="fresh",
    ),
    SolverOption(
        "ddpm_large",
        "DDPM, large variance",
        "Ancestral sampling with the forward variance β (Ho et al. 2020).",
        order=None,
        stochastic=True,
        noise="fresh",
    ),
    SolverOption(
        "ddpm_learned",
        "DDPM, learned variance",
        "Ancestral sampling with a variance between β̃ and β that the network has learned (Nichol & Dhariwal 2021).",
        order=None,
        stochastic=True,
        noise="fresh",
        needs="range",
    ),
    SolverOption(
        "lcm",
        "Consistency (LCM)",
        "Jumps to x̂0 and noises it anew; for networks distilled to sample in a few steps (Song et al. 2023).",
        order=None,
        stochastic=True,
        noise="fresh",
    ),
    SolverOption(
        "tcd",
        "Trajectory consistency (TCD)",
        "DDIM past the next level, then noise up to it; for networks distilled along trajectories (Zheng et al. 2024).",
        order=None,
        stochastic=True,
        params=(
            Param("gamma", "γ", 0.3, 0.0, 1.0, "How far past the next level: 0 is DDIM, 1 goes to the data's side."),
        ),
        noise="fresh",
    ),
    SolverOption(
        "rk45",
        "Runge-Kutta 5(4), adaptive",
        "A reference: Dormand-Prince with a tolerance makes as many calls between two levels as it takes, for each "
        "sample by itself.",
        order=5,
        evals_per_step=None,
        params=(Param("rtol", "Tolerance", 1e-4, 1e-10, 0.1, "Error allowed in each of its own steps.", 1e-4),),
    ),
    SolverOption(
        "tokens_ancestral",
        "Ancestral (tokens)",
        "Draws each text from the process's own posterior: masked letters are revealed in random order, random ones "
        "replaced (Austin et al. 2021, Sahoo et al. 2024).",
        order=None,
        params=(_TEMPERATURE,),
        needs="tokens",
    ),
    SolverOption(
        "tokens_surest",
        "Surest first (tokens)",
        "Reveals first the letters of which the network is surest: fewer slips, and less variety (Chang et al. 2022).",
        order=None,
        params=(
            _TEMPERATURE,
            Param("randomness", "Randomness", 0.5, 0.0, 10.0, "Of the order, 0 is none; it fades as the text fills."),
        ),
        needs="tokens",
    ),
)
