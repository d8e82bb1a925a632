"""Clusters of dask on this machine, as tests and benchmarks start them."""

from __future__ import annotations

from typing import Any

__all__ = ["local_cluster"]


def local_cluster(n_workers: int) -> Any:
    """Start workers, each a spawned process with one thread; no server listens elsewhere.

    Parameters
    ----------
    n_workers : int
        Number of workers.
    """
    import dask
    import distributed

    with dask.config.set({"distributed.worker.multiprocessing-method": "spawn"}):
        return distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address=None,
        )
