"""What a network predicts, and the architectures."""

from __future__ import annotations

from diffstudio.options.rows import Choice, by_name

PREDICTIONS: dict[str, Choice] = by_name(
    Choice("eps", "ε", "The network predicts the noise."),
    Choice("x0", "x0", "The network predicts the clean sample."),
    Choice("v", "v", "The network predicts v = a·ε − s·x0 (Salimans & Ho 2022)."),
    Choice("flow", "velocity", "The network predicts the flow velocity ε − x0 (Lipman et al. 2022)."),
    Choice("edm", "F", "The network predicts EDM's F: x0, less what a linear guess knows (Karras et al. 2022)."),
)

NETWORKS: dict[str, Choice] = by_name(
    Choice("mlp", "MLP", "A residual MLP on Fourier features, for points."),
    Choice("unet", "U-Net", "A convolutional U-Net with attention, for images."),
)
