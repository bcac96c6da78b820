"""Checkpoints: one .safetensors file is the weights and the card that describes them."""
