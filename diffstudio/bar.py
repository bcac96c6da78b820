"""The progress bar of a command on a terminal."""

from __future__ import annotations

import sys


class Bar:
    """A progress bar with the time left, on a terminal; elsewhere nothing."""

    def __init__(self, title: str) -> None:
        self._bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # no thread beside the run
            self._bar = tqdm(desc=f"{title}: loading", unit=" steps", leave=False, dynamic_ncols=True)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Take it away; a second call does nothing."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def show(self, done: int, total: int, title: str) -> None:
        """So much is done."""
        if self._bar is None:
            return
        if self._bar.total is None:
            self._bar.reset(total)  # its clock begins when the first step does, not with loading
        self._bar.set_description_str(title, refresh=False)
        self._bar.update(done - self._bar.n)
