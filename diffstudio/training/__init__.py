"""Recipes in, checkpoints out."""
