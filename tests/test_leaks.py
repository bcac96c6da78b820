"""The check for leaks finds them, each once and at its own test."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

LEAKING = """
import threading, time
from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QWidget

kept = []

def test_a_window(qapp):
    kept.append(QWidget())

def test_a_circle_is_no_leak(qapp):
    window = QWidget()
    window.itself = window

def test_a_timer(qapp):
    kept.append(QTimer())
    kept[-1].start(5000)

def test_a_timer_that_is_gone_is_no_leak(qapp):
    QTimer().start(5000)

def test_a_thread_of_qt(qapp):
    kept.append(QThread())
    kept[-1].start()

def test_a_thread():
    threading.Thread(target=time.sleep, args=(60,), name="sleeper", daemon=True).start()

def test_a_thread_that_ends_is_no_leak(qapp):
    threading.Thread(target=time.sleep, args=(0.2,)).start()
    for thread in kept[2:]:
        thread.quit()
        thread.wait()
    kept[1].stop()
"""


def test_each_leak_fails_its_own_test(tmp_path):
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path)
    (tmp_path / "test_leaking.py").write_text(LEAKING)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_leaking.py"]
    said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120).stdout
    assert "7 passed, 4 errors" in said, said
    found = re.findall(r"at teardown of (\w+) _+\nleft behind: (\w+)", said)
    assert found == [
        ("test_a_window", "window"),
        ("test_a_timer", "timer"),
        ("test_a_thread_of_qt", "QThread"),
        ("test_a_thread", "thread"),
    ]
