"""WAV files against the standard library's and SciPy's readers and writers."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
from scipy.io import wavfile

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.wave_file import read_wave, wave_bytes

SOUND = 0.8 * np.sin(np.arange(4001) / 9)


def test_what_is_written_is_16_bit_pcm_that_the_standard_library_reads():
    with wave.open(io.BytesIO(wave_bytes(SOUND, 8000, "a note"))) as found:
        assert (found.getnchannels(), found.getsampwidth(), found.getframerate()) == (1, 2, 8000)
        samples = np.frombuffer(found.readframes(found.getnframes()), "<i2")
    np.testing.assert_allclose(samples / 32767, SOUND, atol=0.51 / 32767)


def test_what_is_written_is_read_again_with_its_comment(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wave_bytes(SOUND, 8000, '{"seed": 3, "ε": "ü"}'))
    found = read_wave(path)
    assert (found.rate, found.comment) == (8000, '{"seed": 3, "ε": "ü"}')
    np.testing.assert_allclose(found.samples[:, 0], SOUND, atol=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_plain_format_of_scipy_is_read(tmp_path, dtype, channels):
    values = np.stack([SOUND, -SOUND], 1)[:, :channels]
    if dtype == "uint8":
        stored = np.rint(values * 127 + 128).astype(dtype)
    else:
        top = np.iinfo(dtype).max if dtype.startswith("int") else 1
        stored = (values * top).astype(dtype)
    wavfile.write(tmp_path / "a.wav", 44_100, stored)
    found = read_wave(tmp_path / "a.wav")
    assert found.rate == 44_100
    np.testing.assert_allclose(found.samples, values, atol=0.012 if dtype == "uint8" else 1e-4)


def test_24_bits_are_read_as_the_standard_library_writes_them(tmp_path):
    whole = np.rint(SOUND * (2**23 - 1)).astype("<i4")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(3)
        file.setframerate(8000)
        file.writeframes(whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    np.testing.assert_allclose(read_wave(tmp_path / "a.wav").samples[:, 0], SOUND, atol=1e-6)


def test_the_extensible_header_names_its_format_later(tmp_path):
    content = wave_bytes(SOUND, 8000)
    guid = struct.pack("<HHIIHHHHIH", 0xFFFE, 1, 8000, 16_000, 2, 16, 22, 16, 4, 1) + bytes(14)
    longer = content[:12] + b"fmt " + struct.pack("<I", 40) + guid + content[36:]
    (tmp_path / "a.wav").write_bytes(longer)
    np.testing.assert_allclose(read_wave(tmp_path / "a.wav").samples[:, 0], SOUND, atol=1e-4)


def test_a_stream_that_did_not_know_its_length_is_read_to_its_end(tmp_path):
    content = bytearray(wave_bytes(SOUND, 8000))
    content[40:44] = b"\xff\xff\xff\x7f"
    (tmp_path / "a.wav").write_bytes(bytes(content))
    assert len(read_wave(tmp_path / "a.wav").samples) == len(SOUND)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a WAV file"),
        (b"ID3 an MP3 file", "not a WAV file"),
        (wave_bytes(SOUND, 8000)[:20], "without sound, or was cut"),
        (wave_bytes(SOUND, 8000)[:38], "without sound, or was cut"),
        (wave_bytes(SOUND, 8000).replace(b"\x01\x00\x01\x00", b"\x11\x00\x01\x00", 1), "compressed sound"),
        (wave_bytes(SOUND, 0), "0 Hz"),
        (wave_bytes(SOUND, 8000).replace(b"\x01\x00\x01\x00", b"\x01\x00\x00\x00", 1), "0 channels"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path, content, says):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=says):
        read_wave(path)


def test_values_that_are_not_finite_and_a_file_that_is_not_there(tmp_path):
    wavfile.write(tmp_path / "a.wav", 8000, np.array([0, np.nan, 1], np.float32))
    with pytest.raises(BadFile, match="not finite"):
        read_wave(tmp_path / "a.wav")
    with pytest.raises(BadInput, match="there is no file"):
        read_wave(tmp_path / "none.wav")
