"""What settings that are taken back find here: the checkpoint that made a picture or a run, under whatever name.

Nothing here is in a user's language: what is to be told is a value, and who shows it finds the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from diffstudio.checkpoints.listing import Entry, Listing
from diffstudio.errors import NotFound
from diffstudio.studio.request.request import Request


@dataclass(frozen=True)
class Note:
    """Something that is not as it was when a picture was made.

    | kind | what | other |
    |---|---|---|
    | "source": the file that it started from is not in the picture, noise is taken | the file | |
    | "mask": its mask is not in the picture, everything is repainted | the file | |
    | "renamed": the same weights are called otherwise here | the name in the picture | the one here |
    | "weights": what has the name here has other weights | the name | the first digits of both sha256, there, here |
    """

    kind: Literal["source", "mask", "renamed", "weights"]
    what: str
    other: str = ""


def checkpoint_of(request: Request, sha256: str, listing: Listing) -> tuple[Entry, tuple[Note, ...]]:
    """The checkpoint that made a picture: the one with its weights, whatever it is called here, else its namesake.

    sha256: of the weights, as the picture says, "" where it does not. Where that of the namesake is not known yet, who
    finds it out asks `other_weights`.

    Raises:
        NotFound: neither.
    """
    same = listing.with_weights(sha256)
    try:
        named = listing.find(request.model)
    except NotFound:
        if same is None:
            raise
        named = None
    if same is not None and (named is None or named.sha256 != sha256):
        return same, (Note("renamed", request.model, same.spec),)
    assert named is not None
    return named, other_weights(named, sha256, named.sha256)


def other_weights(entry: Entry, there: str, here: str) -> tuple[Note, ...]:
    """What is said where a checkpoint has other weights than those that made a picture; () where one is not known."""
    if not there or not here or there == here:
        return ()
    return (Note("weights", entry.spec, f"{there[:8]}, {here[:8]}"),)
