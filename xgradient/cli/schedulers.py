"""Schedulers that compute the results: threads of this process, or a dask cluster."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import xarray as xr

from ..kernels.threads import processor_count
from .outputs import FileError

#: The chunks of all threads together may take this many bytes.
WORK_BYTES = 512 * 2**20


@contextmanager
def scheduler(
    address: str | None, label: str, progress: bool | None
) -> Iterator[Callable[[xr.Dataset], AbstractContextManager[Any]]]:
    """Yield a function that returns a context, in which dask computes the fields of a Dataset.

    Parameters
    ----------
    address : str or None
        The address of a dask scheduler; None for threads of this process.
    label : str
        The text in front of a progress bar.
    progress : bool or None
        Show a progress bar on stderr; None to show it on terminals only.
    """
    from tqdm.std import tqdm

    disable = None if progress is None else not progress
    bar = partial(tqdm, desc=label, unit=" tasks", leave=False, disable=disable)
    if address is None:
        yield partial(_on_threads, bar)
        return
    if importlib.util.find_spec("distributed") is None:
        raise FileError(
            "--scheduler needs distributed; install it with: pip install distributed, or leave "
            "the option out to compute on this machine"
        )
    from .cluster import connect

    with connect(address, bar) as computing:
        yield computing


@contextmanager
def _on_threads(bar: Callable[..., Any], ds: xr.Dataset) -> Iterator[None]:
    """Let dask compute on as many threads as memory allows."""
    import dask
    from dask.threaded import get
    from tqdm.dask import TqdmCallback

    def run(graph: Any, keys: Any, **kwargs: Any) -> Any:
        pool = ThreadPoolExecutor(_threads(ds))
        try:
            return get(graph, keys, pool=pool, **kwargs)
        finally:
            # After an error, tasks that write must end before their file is closed and removed.
            pool.shutdown(wait=True, cancel_futures=True)

    with dask.config.set(scheduler=run), TqdmCallback(tqdm_class=bar):
        yield


def _threads(ds: xr.Dataset) -> int:
    """Return a number of threads whose chunks fit in memory; dask's own setting has priority."""
    import dask

    wanted = dask.config.get("num_workers", None)
    if wanted is not None:
        return max(1, int(wanted))
    # A thread holds a chunk, its neighbours, and all derivatives of that chunk.
    fields = ds.data_vars.values()
    sizes = [math.prod(map(max, f.chunksizes.values())) * f.dtype.itemsize for f in fields]
    needs = max(sizes, default=1) * (4 + len(sizes))
    return max(1, min(processor_count(), WORK_BYTES // max(1, needs)))
