"""Sounds of every kind: compressed files, tracks of movies, WAVs of unknown length, and the part that is chosen."""

from __future__ import annotations

import struct
import sys
from fractions import Fraction

import numpy as np
import pytest

from diffstudio.data import spoken
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Meaning, Taking
from diffstudio.modalities.sound_file import read_sound
from diffstudio.modalities.sound_track import read_any_sound
from diffstudio.modalities.wave_file import read_wave, wave_bytes

MEANING = Meaning("audio", (1, 64, 32), {"audio": spoken.SPEC.model_dump(mode="json")})
SOUND = 0.5 * np.sin(np.arange(16_000) / 16_000 * 2 * np.pi * 440) * np.linspace(0, 1, 16_000)
MUSIC = [
    ("a.mp3", "libmp3lame"), ("a.ogg", "libopus"), ("a.oga", "flac"), ("a.opus", "libopus"), ("a.flac", "flac"),
    ("a.m4a", "aac"), ("a.aiff", "pcm_s16be"), ("a.mkv", "aac"), ("a.wav", "adpcm_ima_wav"), ("a.wav", "pcm_mulaw"),
]  # fmt: skip


def encoded(path, codec, rate=16_000, channels=2):
    """SOUND on the left, silence on the right."""
    av = pytest.importorskip("av")
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    rate = 48_000 if codec == "libopus" else rate
    wave = np.interp(np.arange(rate) / rate, np.arange(16_000) / 16_000, SOUND)
    with av.open(str(path), "w") as file:
        layout = "stereo" if channels == 2 else "mono"
        track = file.add_stream(codec, rate=rate, layout=layout)
        planes = np.stack([wave, 0 * wave])[:channels].astype(np.float32)
        plain = av.AudioResampler(format=track.codec_context.format, layout=layout, rate=rate)
        for start in range(0, rate, 1000):
            part = np.ascontiguousarray(planes[:, start : start + 1000])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            for one in plain.resample(frame):
                file.mux(track.encode(one))
        file.mux(track.encode())
    return path


@pytest.mark.parametrize(("name", "codec"), MUSIC)
def test_every_kind_of_sound_is_read(tmp_path, name, codec):
    found = read_any_sound(encoded(tmp_path / name, codec), 600)
    assert found.samples.shape[1] == 2 and len(found.samples) / found.rate == pytest.approx(1, abs=0.06)
    loud = np.sqrt(np.mean(found.samples**2, 0))
    assert loud[0] == pytest.approx(np.sqrt(np.mean(SOUND**2)), rel=0.06) and loud[1] < 0.02
    note = read_sound(tmp_path / name, MEANING, Taking()).info.note
    assert note.startswith(f"stereo, {found.rate:,} Hz") and "mixed to mono, resampled to 8,000 Hz" in note


def test_without_the_extra_it_is_named_and_a_wav_is_read(tmp_path, monkeypatch):
    music = encoded(tmp_path / "a.mp3", "libmp3lame")
    packed = encoded(tmp_path / "b.wav", "adpcm_ima_wav")
    (tmp_path / "a.wav").write_bytes(wave_bytes(SOUND, 16_000))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match=r"reading a\.mp3 needs the extra 'video'"):
        read_any_sound(music, 600)
    with pytest.raises(BadFile, match="compressed sound"):
        read_any_sound(packed, 600)
    assert len(read_any_sound(tmp_path / "a.wav", 600).samples) == 16_000


@pytest.mark.parametrize(
    ("content", "says"), [(b"ID3 no music" * 99, "is not a sound that can be read|holds no sound"), (b"", "not a")]
)
def test_what_is_no_sound_is_one_sentence(tmp_path, content, says):
    pytest.importorskip("av")
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(BadFile, match=says):
        read_any_sound(tmp_path / "a.mp3", 600)


def test_more_than_is_wanted_is_not_read(tmp_path):
    found = read_any_sound(encoded(tmp_path / "a.flac", "flac"), 0.25)
    assert 0.25 < len(found.samples) / found.rate < 0.6


# ── WAV files whose writer did not know their length ────────────────────────────────────────────────────────────────

DATA = (SOUND[:4000] * 32767).astype("<i2").tobytes()
FORM = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)


def riff(size, *after, kind=b"RIFF", before=b""):
    head = kind + struct.pack("<I", 0xFFFFFFFF if kind != b"RIFF" else size) + b"WAVE" + before
    return head + b"fmt " + struct.pack("<I", 16) + FORM + b"data" + struct.pack("<I", size) + b"".join(after)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, len(DATA)])
def test_a_length_that_was_never_filled_in_is_that_of_the_file(tmp_path, size):
    (tmp_path / "a.wav").write_bytes(riff(size, DATA))
    assert len(read_wave(tmp_path / "a.wav").samples) == 4000


def test_a_length_of_nothing_is_nothing_where_another_chunk_follows(tmp_path):
    (tmp_path / "a.wav").write_bytes(riff(0, b"LIST", struct.pack("<I", 4), b"INFO"))
    with pytest.raises(BadInput, match="is empty"):
        read_sound(tmp_path / "a.wav", MEANING, Taking())


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
def test_sizes_of_64_bits_are_read(tmp_path, kind):
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 0, len(DATA), 4000, 0)
    (tmp_path / "a.wav").write_bytes(
        riff(0xFFFFFFFF, DATA, b"LIST", struct.pack("<I", 4), b"INFO", kind=kind, before=sizes)
    )
    assert len(read_wave(tmp_path / "a.wav").samples) == 4000


def test_big_endian_is_named(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFX" + riff(0, DATA)[4:])
    with pytest.raises(BadFile, match=r"RIFX.*save it as a plain WAV"):
        read_wave(tmp_path / "a.wav")


# ── which part of a longer sound ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def steps(tmp_path):
    """Three seconds of tones at 8 kHz, each second another: 300, 600 and 1200 Hz, the second the loudest."""
    at = np.arange(8000) / 8000 * 2 * np.pi
    tones = [level * np.sin(at * hertz) for level, hertz in ((0.2, 300), (0.8, 600), (0.2, 1200))]
    (tmp_path / "a.wav").write_bytes(wave_bytes(np.concatenate(tones), 8000))
    return tmp_path / "a.wav"


def hertz(taken):
    from diffstudio.modalities.mel import mel_hertz

    return mel_hertz(64, 8000)[1:-1][taken.rows[0, 0].mean(1).argmax()]


@pytest.mark.parametrize(
    ("part", "expected", "said"),
    [
        (None, 600, "its loudest 0.51 s are used (--part chooses others)"),
        ("0", 300, "0.00 to 0.51 s are used"),
        ("2.2", 1200, "2.20 to 2.71 s are used"),
        ("2.2..2.4", 1200, "2.20 to 2.40 s are used"),
        ("1.25s", 600, "1.25 to 1.76 s are used"),
    ],
)
def test_the_part_that_is_used_can_be_chosen_and_is_told(steps, part, expected, said):
    taken = read_sound(steps, MEANING, Taking(part=part))
    assert hertz(taken) == pytest.approx(expected, rel=0.06)
    assert said in taken.info.note


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("3.5", r"lasts 3\.00 s, found '3\.5' as the part"),
        ("2..1", "lasts 3.00 s"),
        ("end", "'end' is no part of a sound"),
    ],
)
def test_a_part_that_is_not_there_is_named(steps, part, sentence):
    with pytest.raises(BadInput, match=sentence):
        read_sound(steps, MEANING, Taking(part=part))
