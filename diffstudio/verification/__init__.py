"""Proofs that the mathematics is right, as rows of measured and expected numbers; pytest and the command read both."""
