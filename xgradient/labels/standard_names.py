"""What CF standard names tell: which way a component points, and what a derivative is called.

All names are in version 93 of the CF standard name table, as entries or as aliases of these.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import xarray as xr

from .angles import latlon_kind

Attrs = Mapping[Any, Any]

#: Words of standard names, and the direction that each stands for.
_DIRECTIONS = {
    "eastward": "x", "westward": "x", "x": "x", "northward": "y", "southward": "y", "y": "y",
    "upward": "z", "upwelling": "z", "downward": "z", "downwelling": "z",
}  # fmt: skip
_SENSES = {"upward": 1, "upwelling": 1, "up": 1, "downward": -1, "downwelling": -1, "down": -1}
#: Standard names of coordinates along the horizontal axes of a grid.
_ALONG = {
    "longitude": "x", "grid_longitude": "x", "projection_x_coordinate": "x",
    "latitude": "y", "grid_latitude": "y", "projection_y_coordinate": "y",
}  # fmt: skip

_WIND = "divergence_of_wind", "atmosphere_relative_vorticity"
_SEA, _ICE = (None, "ocean_relative_vorticity"), ("divergence_of_sea_ice_velocity", None)
#: Of two components along x and y the divergence and the vorticity, where they have a name.
_VECTORS: dict[tuple[str, str], tuple[str | None, str | None]] = {
    ("eastward_wind", "northward_wind"): _WIND,
    ("x_wind", "y_wind"): _WIND,
    ("grid_eastward_wind", "grid_northward_wind"): _WIND,
    ("eastward_sea_water_velocity", "northward_sea_water_velocity"): _SEA,
    ("sea_water_x_velocity", "sea_water_y_velocity"): _SEA,
    ("x_sea_water_velocity", "y_sea_water_velocity"): _SEA,
    ("eastward_sea_ice_velocity", "northward_sea_ice_velocity"): _ICE,
    ("sea_ice_x_velocity", "sea_ice_y_velocity"): _ICE,
}
#: Fields whose derivative by time is named as their tendency; so are all moles in the atmosphere.
_TENDENCIES = frozenset(
    [
        "air_density", "air_pressure", "air_temperature", "atmosphere_dry_energy_content",
        "atmosphere_mass_content_of_water_vapor", "atmosphere_mass_per_unit_area",
        "bedrock_altitude", "change_in_land_ice_amount",
        "dry_energy_content_of_atmosphere_layer",
        "dry_static_energy_content_of_atmosphere_layer", "eastward_wind",
        "global_average_sea_level_change",
        "integral_wrt_depth_of_sea_water_conservative_temperature_expressed_as_heat_content",
        "integral_wrt_depth_of_sea_water_potential_temperature_expressed_as_heat_content",
        "land_ice_mass", "land_ice_thickness",
        "mass_content_of_water_vapor_in_atmosphere_layer",
        "mass_fraction_of_cloud_condensed_water_in_air", "mass_fraction_of_cloud_ice_in_air",
        "mass_fraction_of_cloud_liquid_water_in_air",
        "mass_fraction_of_convective_cloud_ice_in_air",
        "mass_fraction_of_convective_cloud_liquid_water_in_air",
        "mass_fraction_of_stratiform_cloud_ice_in_air",
        "mass_fraction_of_stratiform_cloud_liquid_water_in_air", "northward_wind",
        "ocean_barotropic_streamfunction", "sea_surface_height_above_mean_sea_level",
        "sea_water_salinity", "sea_water_temperature", "specific_humidity",
        "surface_air_pressure", "surface_snow_amount", "upward_air_velocity",
    ]
)  # fmt: skip
_MOLES = "atmosphere_moles_of_"
#: Derivatives by distance in a direction.
_BY_DISTANCE = frozenset(
    [
        "eastward_derivative_of_eastward_wind",
        "eastward_derivative_of_northward_sea_ice_velocity",
        "eastward_derivative_of_northward_wind", "eastward_derivative_of_wind_from_direction",
        "northward_derivative_of_eastward_sea_ice_velocity",
        "northward_derivative_of_eastward_wind", "northward_derivative_of_northward_wind",
        "northward_derivative_of_wind_from_direction", "upward_derivative_of_eastward_wind",
        "upward_derivative_of_northward_wind", "upward_derivative_of_wind_from_direction",
    ]
)  # fmt: skip
_MAGNITUDES = frozenset(
    ["magnitude_of_horizontal_gradient_of_mass_concentration_of_chlorophyll_a_in_sea_water"]
)


def _name(attrs: Attrs) -> str:
    return str(attrs.get("standard_name", "")).strip()


def _positive(attrs: Attrs) -> str:
    return str(attrs.get("positive", "")).strip().lower()


def _words(attrs: Attrs) -> list[str]:
    """The words of a standard name that are of the quantity itself."""
    # An upward derivative of a wind is no upward component.
    own = re.sub(r"[a-z]+_derivative_of_|_(due_to|assuming|expressed_as)_.*| .*", "", _name(attrs))
    return own.split("_")


def directions_of(component: Attrs) -> set[str]:
    """Return the directions, "x", "y" or "z", that a component says it has; none if it says none.

    A stress and the flux of a momentum have two.
    """
    if _name(component).startswith("lagrangian_tendency_of_"):
        return {"z"}
    return {_DIRECTIONS[word] for word in _words(component) if word in _DIRECTIONS}


def direction_of_coord(name: Hashable, coord: xr.Variable | None) -> str | None:
    """Return the direction, "x", "y" or "z", that a coordinate increases in; None if not clear."""
    attrs: Attrs = {} if coord is None else coord.attrs
    kind = _ALONG.get(str(latlon_kind(name, coord))) or _ALONG.get(_name(attrs))
    if kind is None and "positive" in attrs:
        return "z"
    axis = str(attrs.get("axis", name)).lower()
    return kind or (axis if axis in ("x", "y", "z") else None)


def points_down(coord: Attrs) -> bool:
    """Whether a coordinate says that it increases downwards."""
    return _positive(coord) == "down"


def sign_along(component: Attrs, coord: Attrs) -> int | None:
    """Return 1 for a component that points as its coordinate increases, -1 for one against it.

    A coordinate that does not say which way is up increases as its component points. None is for a
    coordinate that increases downwards while the component does not say which way it points.
    """
    positive = _SENSES.get(_positive(coord))
    if positive is None or _name(component).startswith("lagrangian_tendency_of_"):
        return 1  # the rate of change of the coordinate itself goes along with it
    said = [_SENSES[word] for word in _words(component) if word in _SENSES]
    # Fluxes of models have an attribute of their own.
    said = said or [_SENSES.get(_positive(component), 0)]
    if not said[0]:
        return None if positive < 0 else 1
    return said[0] * positive


def divergence_name(components: Sequence[Attrs], directions: Sequence[str | None]) -> str | None:
    """Return the name of the divergence of components in these directions, if it has one."""
    return _VECTORS.get(_pair(components, directions), (None, None))[0]


def vorticity_name(
    components: Sequence[Attrs], directions: Sequence[str | None], along: str = "z"
) -> str | None:
    """Return the name of a component of the curl, if it has one."""
    found = _VECTORS.get(_pair(components[:2], directions[:2]), (None, None))[1]
    if along == "z" or found != _WIND[1]:
        return found if along == "z" else None
    vertical = _name(components[-1]) in ("upward_air_velocity", "downward_air_velocity")
    return f"atmosphere_{along}_relative_vorticity" if vertical else None


def _pair(components: Sequence[Attrs], directions: Sequence[str | None]) -> tuple[str, str]:
    """The standard names of the components along x and along y; empty if there are others."""
    names = dict(zip(directions, map(_name, components), strict=True))
    return (names["x"], names["y"]) if set(names) == {"x", "y"} else ("", "")


def gradient_name(field: Attrs) -> str | None:
    """Return the name of the length of the horizontal gradient of a field, if it has one."""
    name = f"magnitude_of_horizontal_gradient_of_{_name(field)}"
    return name if name in _MAGNITUDES else None


def derivative_name(field: Attrs, name: Hashable, coord: xr.Variable | None) -> str | None:
    """Return the name of a field's first derivative by time or distance, if it has one.

    Parameters
    ----------
    field : mapping
        Attributes of the field.
    name : hashable
        Name of the coordinate.
    coord : Variable or None
        The coordinate, a time or what stands for a distance.
    """
    own = _name(field)
    if coord is None or not own:
        return None
    if is_time(coord):
        named = own in _TENDENCIES or own.startswith(_MOLES)
        return f"tendency_of_{own}" if named else None
    kind, said = latlon_kind(name, coord), _name(coord.attrs)
    true = said == kind or (not said and not str(name).lower().startswith(("r", "grid_")))
    if kind is not None and true:
        way = {"longitude": "eastward", "latitude": "northward"}[kind]
    elif _positive(coord.attrs) == "up" or (said in ("height", "altitude") and not kind):
        way = "upward"
    else:
        return None
    result = f"{way}_derivative_of_{own}"
    return result if result in _BY_DISTANCE else None


def is_time(coord: xr.Variable) -> bool:
    """Whether a coordinate holds dates."""
    since = " since " in str(coord.attrs.get("units", ""))
    return coord.dtype.kind in "MO" or since or _name(coord.attrs) == "time"
