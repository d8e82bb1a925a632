"""Positions on the cells of a grid: dimensions of one axis, at centers or on faces of its cells.

The words are those of xgcm. Of N cells ``center`` has N values, ``left`` and ``right`` the N faces
before and after each, ``inner`` the N - 1 faces between two cells, and ``outer`` all N + 1 faces.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import xarray as xr

from .._typing import XarrayObject
from .._wording import short_repr
from .hints import close_name, quote_names

#: Each position: the place of its first value from that of the first center, in cells; and how many
#: values it has more than there are cells.
POSITIONS = {
    "center": (0.0, 0),
    "left": (-0.5, 0),
    "right": (0.5, 0),
    "inner": (0.5, -1),
    "outer": (-0.5, 1),
}
#: Positions on faces by the side of the first center on which the first face is. The number of
#: faces decides between those of one side.
SIDES = {
    "before": ("left", "outer"),
    "after": ("right", "inner"),
    "either": ("right", "outer", "inner"),
}
#: Names of dimensions in models: those at centers, then those on faces with their side. The first
#: of several has its values where the model has its tracers.
MODEL_DIMS = (
    ("xi_rho xi_v", {"after": "xi_u xi_psi"}),  # ROMS
    ("eta_rho eta_u", {"after": "eta_v eta_psi"}),
    ("s_rho", {"before": "s_w"}),
    ("x_grid_T x_grid_V x_grid_W", {"after": "x_grid_U x_grid_F"}),  # NEMO
    ("y_grid_T y_grid_U y_grid_W", {"after": "y_grid_V y_grid_F"}),
    ("deptht depthu depthv", {"before": "depthw"}),
    ("x_c", {"after": "x_f", "before": "x_g"}),
    ("y_c", {"after": "y_f", "before": "y_g"}),
    ("z_c", {"before": "z_f z_g"}),
    ("XC", {"before": "XG"}),  # MITgcm
    ("YC", {"before": "YG"}),
    ("Z", {"before": "Zl Zp1", "after": "Zu"}),
    ("i", {"before": "i_g"}),
    ("j", {"before": "j_g"}),
    ("k", {"before": "k_l k_p1", "after": "k_u"}),
    ("xh", {"either": "xq"}),  # MOM6
    ("yh", {"either": "yq"}),
    ("zl", {"before": "zi"}),
)
#: Paddings of SGRID, as the position of the nodes.
SGRID_PADDINGS = {"high": "left", "low": "right", "both": "inner", "none": "outer"}

#: Dimensions of WRF at centers. Those on faces have the suffix ``_stag``.
WRF_DIMS = ("west_east", "south_north", "bottom_top")

#: Dimensions by position, the usual one first.
Dims = dict[str, list[Hashable]]


class Target(NamedTuple):
    """Hold where the results of a call are on the axis of a dimension.

    Attributes
    ----------
    dim : hashable
        Dimension of the results.
    size : int
        Its length.
    before_first : bool
        True if the first result is before the first value of the data, else it is after that one.
    to_faces : bool
        True for results on faces, False for results at centers.
    position : str
        The position of the results.
    """

    dim: Hashable
    size: int
    before_first: bool
    to_faces: bool
    position: str


def find_target(
    obj: XarrayObject, dim: Hashable, to: str, positions: Any, periodic: bool
) -> Target:
    """Find the dimension of results at another position of the axis of a dimension.

    Parameters
    ----------
    obj : DataArray or Dataset
        The data, whose names and attributes say where their dimensions are.
    dim : hashable
        A dimension of the data.
    to : str
        A position, or "edges" for the faces that the data have.
    positions : None or mapping
        Dimensions by position, by axis, as ``xgcm.Grid`` takes them.
    periodic : bool
        Whether the axis is periodic.

    Raises
    ------
    TypeError, ValueError
        If a position is unknown or not half a cell away, or a length does not fit.
    """
    if to not in ("edges", *POSITIONS):
        raise ValueError(
            f"to is {short_repr(to)}{close_name(to, POSITIONS)}; give 'center', 'left', 'right', "
            "'inner', 'outer' or 'edges'"
        )
    dims = axis_dims(obj, dim, positions)
    here = next(position for position, names in dims.items() if dim in names)
    if to == "edges":
        to = _edges(dim, here, dims, periodic)
    if (here == "center") == (to == "center"):
        where = "at the centers" if here == "center" else "on faces"
        raise ValueError(
            f"to is {to!r}, but {str(dim)!r} is {where} itself ({here}); "
            f"give {'the faces to go to' if here == 'center' else repr('center')}"
        )
    (first, more), (start, had) = POSITIONS[to], POSITIONS[here]
    size = obj.sizes[dim] + more - had
    name = dims.get(to, [None])[0]
    if name is None:
        name = new_name(obj, dim, here, to)
    if name in obj.sizes and obj.sizes[name] != size:
        raise ValueError(
            f"{str(name)!r} has {obj.sizes[name]} points, but {to!r} of {str(dim)!r} has {size}; "
            "give the dimensions by positions="
        )
    return Target(name, size, first < start, to != "center", to)


def axis_dims(obj: XarrayObject, dim: Hashable, positions: Any) -> Dims:
    """Return the dimensions of the axis of a dimension, by position.

    A dimension of which nothing is known is at centers.
    """
    readers = _comodo(obj, dim), _sgrid(obj), _stag(obj, dim), _models(obj, dim)
    for found in chain(_given_dims(obj, positions), *readers):
        if any(dim in names for names in found.values()):
            return found
    return _named_by_position(obj, dim)


def _named_by_position(obj: XarrayObject, dim: Hashable) -> Dims:
    """Return the dimensions of an axis by names that end with a position, as results have them."""
    base, _, suffix = str(dim).rpartition("_")
    is_face = bool(base) and suffix in POSITIONS
    center = base if is_face else str(dim)
    cells = obj.sizes[dim] - POSITIONS[suffix][1] if is_face else obj.sizes[dim]
    dims: Dims = {"center": [center]} if obj.sizes.get(center) == cells else {}
    for position, (_, more) in POSITIONS.items():
        name = f"{center}_{position}"
        if position != "center" and obj.sizes.get(name) == cells + more:
            dims[position] = [name]
    return dims if any(dim in names for names in dims.values()) else {"center": [dim]}


def _edges(dim: Hashable, here: str, dims: Dims, periodic: bool) -> str:
    """Return the position of the faces that the data have on an axis."""
    faces = [position for position in dims if position != "center"]
    if here != "center":
        raise ValueError(f"to is 'edges', but {str(dim)!r} is on faces itself; give 'center'")
    if len(faces) > 1:
        raise ValueError(
            f"to is 'edges', but the data have several on this axis, {quote_names(faces)}; give one"
        )
    return faces[0] if faces else "left" if periodic else "inner"


def new_name(obj: XarrayObject, dim: Hashable, here: str, to: str) -> Hashable:
    """Return the name of a dimension that the data do not have."""
    base, _, suffix = str(dim).rpartition("_")
    plain = base if suffix in POSITIONS else str(dim)
    if suffix == "stag" and to == "center":
        return base
    if dim in WRF_DIMS and to == "outer":
        return f"{dim}_stag"
    for centers, faces in MODEL_DIMS:
        for side, names in faces.items():
            if to == "center" and str(dim) in names.split():
                return centers.split()[0]
            face = names.split()[0]
            if to in SIDES[side] and str(dim) in centers.split() and face not in obj.sizes:
                return face
    return plain if to == "center" and here == suffix else f"{plain}_{to}"


def _given_dims(obj: XarrayObject, positions: Any) -> Iterator[Dims]:
    """Yield the dimensions of each axis that a call gives."""
    if positions is None:
        return
    mend = "give a mapping such as {'X': {'center': 'xc', 'left': 'xg'}}"
    if not isinstance(positions, Mapping):
        raise TypeError(f"positions is {short_repr(positions)}; {mend}")
    for axis, by_position in positions.items():
        if not isinstance(by_position, Mapping):
            raise TypeError(f"positions has {short_repr(by_position)} for {axis!r}; {mend}")
        dims: Dims = {}
        for position, name in by_position.items():
            if position not in POSITIONS:
                raise ValueError(
                    f"positions has {position!r} for {axis!r}{close_name(position, POSITIONS)}; "
                    f"there are {', '.join(POSITIONS)}"
                )
            coord = obj.coords.variables.get(name)
            is_coord = name not in obj.dims and coord is not None and coord.ndim == 1
            dims[position] = [coord.dims[0] if coord is not None and is_coord else name]
        _check_lengths(obj, dims, axis)
        yield dims


def _check_lengths(obj: XarrayObject, dims: Dims, axis: Any) -> None:
    """Refuse dimensions of one axis that are not those of one number of cells."""
    cells = {
        name: obj.sizes[name] - POSITIONS[position][1]
        for position, names in dims.items()
        for name in names
        if name in obj.sizes
    }
    if len(set(cells.values())) > 1:
        counts = " and ".join(f"{str(n)!r} those of {cell} cells" for n, cell in cells.items())
        raise ValueError(
            f"lengths of axis {str(axis)!r} do not fit each other: {counts}; "
            "give other positions, or select the same cells"
        )


def _comodo(obj: XarrayObject, dim: Hashable) -> Iterator[Dims]:
    """Yield the dimensions of an axis by the COMODO attributes of their coordinates."""
    lines: dict[Hashable, Mapping[Any, Any]] = {}
    for name, coord in obj.coords.variables.items():
        if (
            coord.ndim == 1
            and "axis" in coord.attrs
            and (name in obj.dims or coord.dims[0] not in lines)
        ):
            lines[coord.dims[0]] = coord.attrs
    axis = lines.get(dim, {}).get("axis")
    members = {d: attrs for d, attrs in lines.items() if axis and attrs.get("axis") == axis}
    shifts = {d: float(attrs.get("c_grid_axis_shift", 0)) for d, attrs in members.items()}
    if not any(shifts.values()):
        return
    centers = [d for d, shift in shifts.items() if not shift]
    faces = [(d, "before" if shift < 0 else "after") for d, shift in shifts.items() if shift]
    yield _by_length(obj, centers, faces, dim)


def _sgrid(obj: XarrayObject) -> Iterator[Dims]:
    """Yield the dimensions of each axis by the attributes of SGRID's variable."""
    variables = obj.variables if isinstance(obj, xr.Dataset) else obj.coords.variables
    for variable in variables.values():
        if variable.attrs.get("cf_role") != "grid_topology":
            continue
        for key in ("face_dimensions", "volume_dimensions", "vertical_dimensions"):
            text = str(variable.attrs.get(key, ""))
            for center, node, padding in re.findall(
                r"(\w+)\s*:\s*(\w+)\s*\(\s*padding\s*:\s*(\w+)\s*\)", text
            ):
                if padding in SGRID_PADDINGS:
                    dims: Dims = {"center": [center], SGRID_PADDINGS[padding]: [node]}
                    _check_lengths(obj, dims, center)
                    yield dims


def _stag(obj: XarrayObject, dim: Hashable) -> Iterator[Dims]:
    """Yield the dimensions of an axis of WRF, whose faces have the suffix ``_stag``."""
    base = str(dim).removesuffix("_stag")
    face = f"{base}_stag"
    if face in obj.sizes and base in obj.sizes:
        yield _by_length(obj, [base], [(face, "before")], dim)
    elif face == dim:
        yield {"center": [base], "outer": [face]}  # all faces, as WRF writes them


def _models(obj: XarrayObject, dim: Hashable) -> Iterator[Dims]:
    """Yield the dimensions of an axis by the names that models give them."""
    for center_names, face_names in MODEL_DIMS:
        centers = center_names.split()
        faces = [(n, side) for side, names in face_names.items() for n in names.split()]
        if dim in centers or dim in [name for name, _ in faces]:
            found = [name for name in centers if name in obj.sizes]
            yield _by_length(
                obj, found, [face for face in faces if face[0] in obj.sizes], dim, centers[0]
            )


def _by_length(
    obj: XarrayObject,
    centers: list[Any],
    faces: list[tuple[Any, str]],
    dim: Hashable,
    center_name: Any = None,
) -> Dims:
    """Return dimensions by position, which lengths tell for those on faces."""
    dims: Dims = {"center": list(centers)} if centers else {}
    sizes = [obj.sizes[name] for name in centers if name in obj.sizes]
    for face, side in faces:
        fits = SIDES[side]
        if sizes:
            fits = tuple(p for p in fits if obj.sizes[face] - POSITIONS[p][1] == sizes[0])
            if not fits:
                raise ValueError(
                    f"{str(face)!r} has {obj.sizes[face]} points, which are the faces of no "
                    f"{sizes[0]} cells of {str(centers[0])!r}; select the same cells"
                )
        elif face == dim:
            center = center_name or "center"
            raise ValueError(
                f"{str(dim)!r} is {' or '.join(fits)} of its cells, which their number "
                "would tell, but the data lack the centers; call a Dataset that has them, or give "
                f"e.g. positions={{'X': {{'center': {center!r}, {fits[0]!r}: {str(dim)!r}}}}}"
            )
        else:
            continue
        dims.setdefault(fits[0], []).append(face)
    return dims
