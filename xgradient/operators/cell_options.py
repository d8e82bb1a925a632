"""Options of operators on cells, and the components that they take."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from ..geometry.cell_stencils import CellStencils
from ..labels.named_options import periodic_mapping
from ..stencils.scheme import Scheme
from .cell_fields import CellFields, are_staggered, check_position, collect_cell_fields
from .cell_sums import CellSums
from .components import components_by_dim, read_component


class CellOptions(NamedTuple):
    """Hold the options of a call on cells, as the user gives them.

    Attributes
    ----------
    form : None or "conservative"
        How the operator is written.
    to : None or str
        The position of results.
    positions : None or mapping
        The dimensions at each position, by axis.
    metric, periodic : object
        Lengths of cells, and the axes that are periodic.
    accuracy, edge_order : int
        Orders of accuracy; None for the default.
    skipna : bool
        Whether missing values are walls.
    coast : None or "zero"
        The circulation at corners that touch a wall.
    others : mapping
        Further options by their names; those that are given are refused.
    """

    form: Any
    to: Any
    positions: Any
    metric: Any
    periodic: Any
    accuracy: Any
    edge_order: Any
    skipna: Any
    coast: Any = None
    others: Mapping[str, Any] = {}

    @classmethod
    def of_call(cls, options: Mapping[str, Any]) -> CellOptions:
        """Return the options of a call by their names."""
        others = {key: value for key, value in options.items() if key not in cls._fields}
        if others.get("relative") == "grid":  # as components on cells are
            del others["relative"]
        own = {key: value for key, value in options.items() if key in cls._fields}
        return cls(**{"to": None, **own}, others=others)

    @property
    def is_given(self) -> bool:
        """Return True if the call asks for an operator on cells."""
        return self.form is not None or self.to is not None or self.positions is not None

    @property
    def conservative(self) -> bool:
        """Return True for differences of fluxes and circulations."""
        return self.form is not None

    @property
    def has_walls(self) -> bool:
        """Return True if no flux goes through faces at missing values."""
        return bool(self.conservative and (self.skipna or self.coast is not None))

    def scheme(self) -> Scheme:
        """Return the checked orders of accuracy.

        Raises
        ------
        TypeError, ValueError
            If an option is wrong, or does not go with another.
        """
        check_form(self.form)
        check_position(self.to)
        reason = "form='conservative'" if self.conservative else "components at positions on cells"
        for name, value in self.others.items():
            if value is not None and value is not False:
                raise ValueError(f"{name} does not go with {reason}; leave one of them out")
        if self.conservative:
            if self.accuracy != 2:
                raise ValueError(
                    f"accuracy is {short_repr(self.accuracy)}, but form='conservative' is of "
                    "second order; leave one of them out"
                )
            if self.edge_order is not None:
                raise ValueError(f"edge_order does not go with {reason}; leave one of them out")
        if self.coast is not None and (self.coast != "zero" or not self.conservative):
            raise ValueError(
                f"coast is {short_repr(self.coast)} on cells, which does not go with "
                f"{reason}; give coast='zero' with form='conservative', or leave it out"
            )
        edge_order = self.edge_order
        if edge_order is None and not self.conservative:
            edge_order = self.accuracy
        return Scheme.checked(1, self.accuracy, edge_order, self.skipna)

    def collect(
        self, obj: XarrayObject | None, fields: Sequence[xr.DataArray], names: Sequence[Hashable]
    ) -> tuple[CellFields, CellSums]:
        """Return the fields at their positions, and what adds them."""
        scheme, periodic = self.scheme(), self.periodic
        if isinstance(periodic, str) and periodic == "auto":
            periodic = None
        elif not (periodic is None or isinstance(periodic, bool)):
            periodic = periodic_mapping(periodic, [])
        cells = collect_cell_fields(obj, fields, names, self.metric, self.positions, periodic)
        return cells, CellSums(CellStencils(cells.measures, scheme, self.conservative))


def check_form(form: Any) -> None:
    """Refuse an unknown form of an operator."""
    if form is not None and form != "conservative":
        raise ValueError(f"form is {short_repr(form)}; give 'conservative', or leave it out")


def read_on_cells(
    obj: Any, components: Any, dims: Mapping[Any, Any], options: CellOptions
) -> tuple[XarrayObject | None, dict[Hashable, xr.DataArray]] | None:
    """Return the data and the components of a call on cells; None for one grid of all.

    A call is on cells by its options, or if its components are at several positions.
    """
    if isinstance(obj, Mapping) and not isinstance(obj, xr.Dataset):
        obj, dims = None, {**obj, **dims}
    given = {**(components if isinstance(components, Mapping) else {}), **dims}
    if not options.is_given and len(given) < 2:
        return None
    if not options.is_given:
        fields = [obj[f] if isinstance(obj, xr.Dataset) and isinstance(f, str) and f in obj else f
                  for f in given.values()]  # fmt: skip
        if not all(isinstance(f, xr.DataArray) for f in fields) or not are_staggered(obj, fields):
            return None
    given = components_by_dim(components, dims, (1, 2, 3))
    found = {name: read_component(obj, name, field) for name, field in given.items()}
    for name, component in found.items():
        if not component.ndim:
            raise ValueError(
                f"the component along {str(name)!r} is a number, which has no position on cells; "
                "leave it out if it is zero, or give a field"
            )
    return obj, found
