"""What a network predicts, and the architectures; among them the exact ones, which need no training."""

from __future__ import annotations

from diffstudio.options.rows import Choice, NetworkOption, by_name

PREDICTIONS: dict[str, Choice] = by_name(
    Choice("eps", "ε", "The network predicts the noise."),
    Choice("x0", "x0", "The network predicts the clean sample."),
    Choice("v", "v", "The network predicts v = a·ε − s·x0 (Salimans & Ho 2022)."),
    Choice("flow", "velocity", "The network predicts the flow velocity ε − x0 (Lipman et al. 2022)."),
    Choice("edm", "F", "The network predicts EDM's F: x0, less what a linear guess knows (Karras et al. 2022)."),
    Choice("tokens", "tokens", "The network predicts how likely each token is in each cell of a text."),
)

NETWORKS: dict[str, NetworkOption] = by_name(
    NetworkOption("mlp", "MLP", "A residual MLP on Fourier features, for points."),
    NetworkOption("unet", "U-Net", "A convolutional U-Net with attention, for images."),
    NetworkOption("video_unet", "Space-time U-Net", "A U-Net that mixes frames and attends across them, for clips."),
    NetworkOption("video_transformer", "Space-time transformer", "Attention over squares of all frames, for clips."),
    NetworkOption("transformer", "Transformer", "Attention over the cells of a text, in both directions."),
    NetworkOption("exact_mixture", "Exact: Gaussians", "Gaussians whose denoiser is known exactly.", trained=False),
    NetworkOption("exact_data", "Exact: data", "The optimal denoiser of a finite set of data.", trained=False),
    NetworkOption("diffusers_unet", "U-Net (diffusers)", "diffusers' UNet2DModel, of pixels or latents.", foreign=True),
    NetworkOption(
        "diffusers_dit", "DiT (diffusers)", "The DiTTransformer2DModel of diffusers (Peebles & Xie 2023).", foreign=True
    ),
    NetworkOption(
        "diffusers_prompted_unet",
        "U-Net of prompts (diffusers)",
        "diffusers' UNet2DConditionModel: Stable Diffusion 1, 2 and XL.",
        foreign=True,
    ),
    NetworkOption(
        "diffusers_sd3", "MMDiT (diffusers)", "diffusers' SD3Transformer2DModel (Esser et al. 2024).", foreign=True
    ),
    NetworkOption(
        "diffusers_flux", "Flux (diffusers)", "diffusers' FluxTransformer2DModel, of latents in squares.", foreign=True
    ),
    NetworkOption("lucidrains_unet", "U-Net (lucidrains)", "The Unet of denoising-diffusion-pytorch.", foreign=True),
    NetworkOption("k_diffusion_unet", "U-Net (k-diffusion)", "The image_v1 of k-diffusion.", foreign=True),
    NetworkOption("k_diffusion_transformer", "Transformer (k-diffusion)", "Its image_transformer_v1.", foreign=True),
    NetworkOption(
        "k_diffusion_hourglass",
        "Hourglass transformer (k-diffusion)",
        "Its image_transformer_v2 (Crowson et al. 2024).",
        foreign=True,
    ),
    NetworkOption("smalldiffusion_mlp", "MLP (smalldiffusion)", "The TimeInputMLP of smalldiffusion.", foreign=True),
    NetworkOption("smalldiffusion_unet", "U-Net (smalldiffusion)", "The Unet of smalldiffusion.", foreign=True),
    NetworkOption("smalldiffusion_dit", "DiT (smalldiffusion)", "The DiT of smalldiffusion.", foreign=True),
    NetworkOption("adm", "U-Net (ADM)", "The U-Net of guided-diffusion (Dhariwal & Nichol 2021).", foreign=True),
)
