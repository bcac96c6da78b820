"""The progress bar of a command on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable


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

    def show(self, done: int, total: int, title: str, left: float | None = None, rate: float = 0.0) -> None:
        """So many steps are done. left: seconds, and rate: steps a second, where the caller measures them itself."""
        if self._bar is None:
            return
        if rate and left is not None:
            left_text = self._bar.format_interval(left)
            self._bar.bar_format = f"{{l_bar}}{{bar}}| {{n_fmt}}/{{total_fmt}} [{left_text} left, {rate:.3g} steps/s]"
        if self._bar.total is None:
            self._bar.reset(total)  # its clock begins when the first step does, not with loading
        self._bar.set_description_str(title, refresh=False)
        self._bar.update(done - self._bar.n)

    def aside(self, tell: Callable[[str], object], sentence: str) -> None:
        """Tell a sentence on a line of its own."""
        if self._bar is not None:
            self._bar.clear()
        tell(sentence)
        if self._bar is not None:
            self._bar.refresh()
