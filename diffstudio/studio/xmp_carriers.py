"""Where formats keep an XMP packet that Pillow and PyAV do not write: GIF and MP4."""

from __future__ import annotations

# The block is read as sub-blocks by those who do not know it: whatever the packet's bytes, a reader that takes them for
# lengths ends in this trailer, which leads it to the end (XMP specification, part 3, GIF).
_TRAILER = bytes([1, *range(255, -1, -1), 0])
_GIF = b"\x21\xff\x0bXMP DataXMP"
_MP4 = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")  # the uuid of a box of XMP


def gif_with_xmp(gif: bytes, packet: bytes) -> bytes:
    """A GIF with an application extension behind its global palette."""
    at = 13 + (3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0)
    return b"GIF89a" + gif[6:at] + _GIF + packet + _TRAILER + gif[at:]


def mp4_box(packet: bytes) -> bytes:
    """A box that may stand at the end of an MP4."""
    return (8 + len(_MP4) + len(packet)).to_bytes(4, "big") + b"uuid" + _MP4 + packet
