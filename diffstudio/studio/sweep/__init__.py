"""Sweeps: one base request, axes over its fields, a run for every cell."""
