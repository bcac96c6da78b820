"""Ctrl+C in the terminal ends the window as closing it does.

Qt's loop runs in C++, so Python's own handler waits until some Python code runs, and then its KeyboardInterrupt appears
in the middle of whatever slot that was. Here the signal only writes its number to a socket, and the loop reads it.
"""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QCoreApplication, QObject, QSocketNotifier, Slot

from diffstudio.interrupts import ENDING, leave_at_once, note


class Interrupt(QObject):
    """Ends the event loop with 128 + the signal's number; a second signal ends the process at once."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)
        self._old_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]  # nohup stays nohup
        self._old = {number: signal.signal(number, _leave_it_to_the_socket) for number in heard}

    def close(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self._read.close()
        self._write.close()

    @Slot()
    def _on_signal(self) -> None:
        received = [number for number in self._read.recv(4096) if number in self._old]
        if received:
            leave_at_once()
            note(received[0])
            QCoreApplication.exit(128 + received[0])


def _leave_it_to_the_socket(number: int, frame: FrameType | None) -> None:
    """Python needs a handler, or it would not write to the socket."""
