"""How long units take that no unit should look like: ``python -m benchmarks.units``."""

from __future__ import annotations

import time

import xarray as xr

import xgradient  # noqa: F401  registers .grad

#: Texts that once took for ever, or much memory.
TEXTS = {
    "m**9**9**9": "m**9**9**9",
    "100 000 blanks before 'since'": "days " + " " * 100_000 + "since 2000-01-01",
    "20 000 letters": "m" * 20_000,
    "400 brackets": "(" * 400 + "m" + ")" * 400,
    "900 digits": "m" + "9" * 900,
    "10**999999 m": "10**999999 m",
    "a product of 50 000": "m " * 50_000,
    "W m-2": "W m-2",
}


def main() -> None:
    """Print the seconds of one gradient with each; all but the first unit take 0.1 s at most."""
    data = [0.0, 1.0, 4.0]
    for name, units in {"the first unit": "K", **TEXTS}.items():
        x = {"x": ("x", [0.0, 1.0, 2.0], {"units": "m"})}
        field = xr.DataArray(data, x, name="f", attrs={"units": units})
        start = time.perf_counter()
        field.grad("x")
        print(f"{time.perf_counter() - start:.4f} s  {name}")


if __name__ == "__main__":
    main()
