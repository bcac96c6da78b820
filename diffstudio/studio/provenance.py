"""Settings that travel with a picture: what made it, readable again by DiffStudio, and its origin for everybody else.

PNG and APNG carry them as a text chunk, JPEG and WebP in the Exif UserComment, TIFF in its ImageDescription, GIF as a
comment, MP4 too, WAV in the comment of its INFO list. All of them also carry an XMP packet with the IPTC field that
marks what a model has made. Pictures of a model that is told a prompt carry the text of `parameters_text` besides: PNG
in a chunk of its own, JPEG and WebP in the UserComment, where other programs look; the settings then stand in the
ImageDescription.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal

from PIL import ExifTags, Image, TiffTags
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio import __version__
from diffstudio.checkpoints.finding import LISTED
from diffstudio.checkpoints.names import spelling
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.movie_file import MOVIES, open_movie
from diffstudio.modalities.picture_file import opened
from diffstudio.modalities.wave_file import open_wave
from diffstudio.strangers import bounded_json, first_problem
from diffstudio.studio.parameters_text import Parameters, parameters_text, parse_parameters
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace

KEY, PARAMETERS = "diffstudio", "parameters"
MADE_BY_A_MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MAX_TEXT = 1 << 20
MAX_SEGMENT = 65_533  # bytes of a JPEG's block
MAX_PARTS = 150_000  # of its JSON: a table of betas may have 100,000

_SOFTWARE = f"DiffStudio {__version__}"
_START = f'{{"{KEY}":'  # of settings as JSON
_EXIF = b"Exif\0\0"
_UNICODE = b"UNICODE\0"  # the character code of an Exif UserComment
_ShortText = Annotated[str, Field(max_length=1000)]


class _Settings(BaseModel):
    """What is believed of a file's settings; the request is judged by `request_of`."""

    model_config = ConfigDict(extra="ignore")
    diffstudio: Literal[1]
    model: _ShortText = ""
    checkpoint_sha256: Annotated[str, Field(max_length=64)] = ""
    sha256: Annotated[dict[str, Annotated[str, Field(max_length=64)]], Field(max_length=20)] = {}
    notes: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=20)] = []
    created: _ShortText = ""
    device: _ShortText = ""
    versions: Annotated[dict[str, _ShortText], Field(max_length=100)] = {}
    shown: Annotated[dict[str, Any], Field(max_length=100)] = {}
    digitalSourceType: _ShortText = ""
    request: dict[str, Any] | None = None


def settings(
    trace: Trace, records: Sequence[int] | None = None, tensor: str = "xt", sample: int | None = None
) -> dict[str, Any]:
    """The settings of a picture of those records (None: all), as JSON values.

    request, model ("digits@3500"), checkpoint_sha256, sha256 of every file that made it, notes of what was done to the
    source, versions, device, created; shown: chain, tensor, sample, step and t of a single record, and of a single
    sample its own seed and class.  parameters: see `parameters_text`.
    digitalSourceType: IPTC's trainedAlgorithmicMedia where a record is of the reverse chain.
    It is left out where all are of the forward chain, in the trace of a forward run as in any other: those are data
    with noise on them, and no model made them.
    """
    header = trace.header
    chosen = range(len(trace)) if records is None else records
    chains = {trace.chain(k) for k in chosen}
    name = "both" if len(chains) > 1 else "reverse" if 1 in chains else "forward"
    shown: dict[str, Any] = {"chain": name, "tensor": tensor, "sample": sample, "records": len(chosen)}
    if len(chosen) == 1:
        shown |= {"step": int(trace.scalar(chosen[0], "step")), "t": trace.scalar(chosen[0], "t")}
    request = portable_request(header)
    if sample is not None:
        shown |= _of_sample(header, request, sample)
    found = {
        KEY: 1,
        "model": _model(header),
        "checkpoint_sha256": header.checkpoint_sha256[:64],
        "created": header.created[:40],
        "device": header.device[:40],
        "versions": {name[:40]: version[:40] for name, version in list(header.versions.items())[:20]},
        "shown": shown,
        "request": request,
    }
    if header.sha256:
        found["sha256"] = {name[:40]: digest[:64] for name, digest in list(header.sha256.items())[:20]}
    if header.notes:
        found["notes"] = list(header.notes)
    if 1 not in chains:
        return found
    found["digitalSourceType"] = MADE_BY_A_MODEL
    text = _parameters(header, shown.get("seed"))
    return found | ({PARAMETERS: text} if text else {})


def _of_sample(header: TraceHeader, request: dict[str, Any] | None, sample: int) -> dict[str, Any]:
    """What tells a sample from the others of its batch: its seed, and its class where it has one."""
    told: dict[str, Any] = {}
    if request is not None:
        told["seed"] = int(request["seed"]) + sample
    label = header.labels[sample] if sample < len(header.labels) else None
    if label is not None:
        names = header.card.get("labels") or ()
        told["label"] = label
        told["class"] = str(names[label])[:200] if label < len(names) else ""
    return told


def _parameters(header: TraceHeader, seed: int | None) -> str:
    """The text for other programs; "" of a model that is told no prompt."""
    if not header.card.get("prompts"):
        return ""
    try:
        request = Request.model_validate(header.request)
    except ValidationError:
        return ""
    own = request.seed if seed is None else seed
    return parameters_text(request, header.card, own, header.checkpoint_sha256, _SOFTWARE)


def portable_request(header: TraceHeader) -> dict[str, Any] | None:
    """The request without what belongs to one computer: files by their names, a model's path by its spec.

    A picture is passed on to others; where its maker keeps files is not their business. None where the trace has no
    request that this version understands.
    """
    if not header.request:
        return None
    try:
        request = Request.model_validate(header.request)
    except ValidationError:
        return None
    changes: dict[str, str] = {}
    for field in ("source_file", "mask", "guidance_model"):
        name = getattr(request, field)
        if name:
            changes[field] = PureWindowsPath(name).name[-200:]  # splits at / and \ alike
    if _is_path(request.model):
        changes["model"] = _model(header)
    return request.model_copy(update=changes).model_dump(mode="json")


def png_info(found: dict[str, Any]) -> PngInfo:
    """The text chunks of a PNG or APNG."""
    info = PngInfo()
    info.add_text("Software", _SOFTWARE)
    info.add_text(KEY, to_text(found))
    if found.get(PARAMETERS):
        info.add_text(PARAMETERS, found[PARAMETERS])
    if packet := xmp_packet(found):
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return info


def exif_bytes(found: dict[str, Any], kind: str) -> bytes:
    """The Exif block of a "JPEG" or "WEBP": Software, and the settings as UserComment in UTF-16.

    Where there are parameters for other programs they are the UserComment, and the settings the ImageDescription.

    Raises:
        BadInput: a JPEG has no room for so much.
    """
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = _SOFTWARE
    comment = found.get(PARAMETERS) or to_text(found)
    if found.get(PARAMETERS):
        exif[ExifTags.Base.ImageDescription] = to_text(found)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = _UNICODE + comment.encode("utf-16-be")
    block = exif.tobytes()
    if kind != "JPEG":
        return block.removeprefix(_EXIF)  # in a WebP the block begins with TIFF's own header
    if len(block) > MAX_SEGMENT:
        raise BadInput("the settings, with so long a prompt, have no room in a JPEG: export a PNG or a WebP")
    return block


def tiff_tags(found: dict[str, Any]) -> ImageFileDirectory_v2:
    """Software, settings and XMP packet as tags of a TIFF: libtiff, which compresses it, can't write an Exif block."""
    tags = ImageFileDirectory_v2()
    tags[ExifTags.Base.Software] = _SOFTWARE
    tags[ExifTags.Base.ImageDescription] = to_text(found)
    if packet := xmp_packet(found):
        tags[ExifTags.Base.XMLPacket] = packet
        tags.tagtype[ExifTags.Base.XMLPacket] = TiffTags.BYTE
    return tags


def xmp_packet(found: dict[str, Any]) -> bytes:
    """The XMP packet with Iptc4xmpExt:DigitalSourceType; empty where the settings name none."""
    if not found.get("digitalSourceType"):
        return b""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"<xmp:CreatorTool>{_SOFTWARE}</xmp:CreatorTool>"
        f"<Iptc4xmpExt:DigitalSourceType>{MADE_BY_A_MODEL}</Iptc4xmpExt:DigitalSourceType>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def to_text(found: dict[str, Any]) -> str:
    """Settings as JSON in ASCII, the key that tells them apart first."""
    return json.dumps({KEY: 1, **{name: value for name, value in found.items() if name != PARAMETERS}})


def read_settings(path: Path) -> dict[str, Any] | None:
    """The settings that a picture carries, None if it carries none of ours. No pixel is decoded.

    Of repeated PNG chunks the last before the pixels counts.

    Raises:
        BadInput: no such file, or a movie without the extra that reads it.
        BadFile: not a picture, damaged, or settings that are too long or not understood.
    """
    if path.suffix.lower() in MOVIES:
        with open_movie(path) as movie:
            found = movie.metadata.get("comment")
        return None if found is None else _parse(found, path)
    found = _find_text(path)
    return None if found is None else _parse(found, path)


def request_of(found: dict[str, Any], where: str = "these settings") -> Request:
    """The request in settings, checked. `where` names the file in the error.

    Raises:
        BadFile: there is no request, or a field of it is unknown or out of its bounds.
    """
    if not found.get("request"):
        raise BadFile(f"{where}: request: found none")
    try:
        return Request.model_validate(found["request"])
    except ValidationError as error:
        raise BadFile(f"{where}: request: {first_problem(error.errors(), 'all of it')}") from error


def _model(header: TraceHeader) -> str:
    """The spec of the checkpoint, whether the request names it so or by its path: "cats@10000:ema_0.9999".

    Without the folders that tell it from its namesakes, if they are in its name: by its hash it is found.
    """
    asked, card = str(header.request.get("model") or ""), header.card
    told = re.search(r"@\d+:(.+)$", asked)
    variant = told[1] if told else ""
    if not told and card.get("format") and _is_path(asked):
        spelled = spelling(Path(asked))
        variant = spelled.variant if spelled.marked else ""
    name = re.sub(r" \([^()]*/[^()]*\)( \d+)?$", "", str(card.get("name", "")))
    return f"{name}@{card.get('step', 0)}{f':{variant}' if variant else ''}"[:200]


def _is_path(model: str) -> bool:
    """Whether a request names a model by where it lies, which is nobody's business."""
    return PureWindowsPath(model).name != model or model.startswith("~") or model.lower().endswith(LISTED)


def read_parameters(path: Path) -> Parameters | None:
    """What another program wrote into a picture of how it was made; None where there is nothing of that form.

    Errors as `read_settings`.
    """
    if path.suffix.lower() in (*MOVIES, ".wav"):
        return None
    with opened(path) as picture:
        text = picture.info.get(PARAMETERS) if picture.format == "PNG" else _comment(picture)
    return parse_parameters(text) if isinstance(text, str) else None


def _find_text(path: Path) -> str | None:
    """The text that may be ours, by the format of the picture."""
    if path.suffix.lower() == ".wav":
        with open_wave(path) as wave:
            return wave.comment
    with opened(path) as picture:
        if picture.format == "PNG":
            found = picture.info.get(KEY)
        elif picture.format == "GIF":
            found = picture.info.get("comment")
        elif picture.format == "TIFF":
            found = picture.getexif().get(ExifTags.Base.ImageDescription)
        else:
            found = _comment(picture)
            if not (found or "").startswith(_START):  # theirs; ours stands in the description then
                found = picture.getexif().get(ExifTags.Base.ImageDescription) or found
    return _as_text(found)


def _comment(picture: Image.Image) -> str | None:
    """The Exif UserComment."""
    return _as_text(picture.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment))


def _as_text(found: object) -> str | None:
    if not isinstance(found, bytes):
        return found if isinstance(found, str) else None
    found = found[: 2 * MAX_TEXT + 32]  # more is too long in any case, and `_parse` says so if it is ours
    if found.startswith(_UNICODE):
        text = found[len(_UNICODE) :]
        return text.decode("utf-16-le" if text[1:2] == b"\0" else "utf-16-be", "replace")
    return found.removeprefix(b"ASCII\0\0\0").decode("utf-8", "replace")


def _parse(text: str, path: Path) -> dict[str, Any] | None:
    if not text.startswith(_START):
        return None  # somebody else's comment
    if len(text) > MAX_TEXT:
        raise BadFile(f"{path}: the settings have more than {MAX_TEXT:,} characters")
    try:
        found = bounded_json(text, MAX_PARTS)
    except ValueError as error:
        raise BadFile(f"{path}: the settings are damaged: not JSON") from error
    if isinstance(found[KEY], int) and found[KEY] > 1:
        raise BadFile(f"{path}: settings of format {found[KEY]}, expected 1: read them with a newer DiffStudio")
    try:
        return _Settings.model_validate(found).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise BadFile(f"{path}: settings: {first_problem(error.errors(), 'all of them')}") from error
