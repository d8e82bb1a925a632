"""Compute on a dask cluster, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import xarray as xr
from distributed import Client
from distributed.diagnostics.progressbar import TextProgressBar

from .outputs import FileError, reason

#: Wait this many seconds for the scheduler.
CONNECT_SECONDS = 10


class _Bar(TextProgressBar):  # type: ignore[misc]
    """Follow the tasks that futures need until they are done, on a bar of tqdm.

    ``distributed`` itself prints a bar to standard output, without the number of tasks.
    """

    def __init__(self, futures: Any, bar: Any) -> None:
        self._bar = bar
        super().__init__(futures)

    def _draw_bar(self, remaining: int, all: int, **kwargs: Any) -> None:
        self._bar.total = all
        self._bar.n = all - remaining
        self._bar.refresh()

    def _draw_stop(self, **kwargs: Any) -> None:
        self._bar.close()


class WatchedClient(Client):  # type: ignore[misc]
    """Compute as a client does, and show on a bar how many tasks are done."""

    bar: Callable[..., Any]

    def get(self, dsk: Any, keys: Any, sync: bool = True, **kwargs: Any) -> Any:
        """Compute keys of a graph on the cluster."""
        futures = super().get(dsk, keys, sync=False, **kwargs)
        if not sync:
            return futures
        bar = self.bar()
        if not bar.disable:
            _Bar(futures, bar)
        return self.gather(futures)


@contextmanager
def connect(
    address: str, bar: Callable[..., Any]
) -> Iterator[Callable[[xr.Dataset], AbstractContextManager[Any]]]:
    """Make a cluster the scheduler of dask while the context lasts."""
    try:
        client = WatchedClient(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise FileError(f"the scheduler {address} cannot be reached: {reason(error)}") from error
    client.bar = bar
    with client:
        yield lambda ds: nullcontext()
