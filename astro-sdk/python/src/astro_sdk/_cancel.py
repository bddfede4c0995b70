"""Ending what another thread waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Ends a call from another thread: give it to the call, and call ``cancel()``.

    One may be given to many calls; it ends all of them and each later one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hooks: list[Callable[[], object]] = []
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel()`` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Ends the calls with ``CancelledError``. A second time does nothing."""
        with self._lock:
            self._cancelled = True
            hooks, self._hooks = self._hooks, []
        for hook in hooks:
            hook()

    @contextmanager
    def calling(self, hook: Callable[[], object]) -> Iterator[None]:
        """Within the block ``hook`` is called when this is cancelled, at once if it was before."""
        with self._lock:
            late = self._cancelled
            if not late:
                self._hooks.append(hook)
        if late:
            hook()
        try:
            yield
        finally:
            with self._lock:
                if hook in self._hooks:
                    self._hooks.remove(hook)
