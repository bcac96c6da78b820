"""`python -m diffstudio` is the command `diffstudio`."""

from diffstudio.cli import main

main()
