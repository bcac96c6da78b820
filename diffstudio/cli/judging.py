"""`diffstudio likelihood` and `diffstudio verify`."""

import click


@click.command()
def likelihood() -> None:
    """x"""


@click.command()
def verify() -> None:
    """x"""
