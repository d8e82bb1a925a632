"""Load the operators at the first use of a public name or of an accessor, not at the import."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import RLock
from types import ModuleType
from typing import Any

import xarray as xr

from . import _forks  # noqa: F401  its locks are taken after the one below

#: The name of the accessor.
_NAME = "grad"
# Held while the operators are loaded. Modules that are loaded take the locks of `_forks`, so a fork
# takes this one first: its functions run before those that were registered before it.
_lock = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


def load() -> ModuleType:
    """Return the module of the public names; the first call loads the operators.

    Raises
    ------
    ImportError
        If a package that they need does not fit. An AttributeError would say that there is no
        such name.
    """
    with _lock:
        try:
            from . import _public
        except AttributeError as error:
            raise ImportError(f"xgradient cannot be loaded: {error}") from error
    return _public


class UnloadedAccessor:
    """Stand for the accessor ``grad`` in a class of xarray, until its first use.

    The first use registers the accessor itself, so that later uses meet only that of xarray.
    """

    def __init__(self, owner: type, register: Callable[..., Any]) -> None:
        self._owner = owner
        self._register = register
        self._is_registering = False

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        """Return the accessor of an object, or its class."""
        with _lock:
            if self._is_registering:  # xarray asks whether the name is taken
                raise AttributeError(_NAME)
            if vars(self._owner).get(_NAME) is self:
                accessor = load().Grad
                self._is_registering = True
                try:
                    self._register(_NAME)(accessor)
                finally:
                    self._is_registering = False
        return getattr(owner if obj is None else obj, _NAME)


for _owner, _register in (
    (xr.DataArray, xr.register_dataarray_accessor),
    (xr.Dataset, xr.register_dataset_accessor),
    (xr.DataTree, xr.register_datatree_accessor),
):
    if hasattr(_owner, _NAME):  # xarray replaces what another package has registered, and warns
        _register(_NAME)(load().Grad)  # type: ignore[no-untyped-call]
    else:
        setattr(_owner, _NAME, UnloadedAccessor(_owner, _register))
