"""CF standard names: directions of components, and names of derivatives.

All names are entries or aliases in version 93 of the CF standard name table.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import xarray as xr

from .angles import latlon_kind

Attrs = Mapping[Any, Any]

#: Directions by word of a standard name.
_DIRECTIONS = {
    "eastward": "x", "westward": "x", "x": "x", "northward": "y", "southward": "y", "y": "y",
    "upward": "z", "upwelling": "z", "downward": "z", "downwelling": "z",
}  # fmt: skip
#: Signs by word of a standard name or by value of the attribute ``positive``.
_SIGNS = {"upward": 1, "upwelling": 1, "up": 1, "downward": -1, "downwelling": -1, "down": -1}
#: Directions by standard name of a horizontal coordinate.
_COORD_DIRECTIONS = {
    "longitude": "x", "grid_longitude": "x", "projection_x_coordinate": "x",
    "latitude": "y", "grid_latitude": "y", "projection_y_coordinate": "y",
    "projection_x_angular_coordinate": "x", "projection_y_angular_coordinate": "y",
}  # fmt: skip

_WIND = "divergence_of_wind", "atmosphere_relative_vorticity"
_SEA, _ICE = (None, "ocean_relative_vorticity"), ("divergence_of_sea_ice_velocity", None)
#: Names of the divergence and of the vorticity by standard names of components along x and y.
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
#: Fields whose derivative by time has a name. All moles in the atmosphere have one, too.
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
#: Names of derivatives by distance.
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
#: Names of magnitudes of gradients.
_MAGNITUDES = frozenset(
    ["magnitude_of_horizontal_gradient_of_mass_concentration_of_chlorophyll_a_in_sea_water"]
)


def _name(attrs: Attrs) -> str:
    return str(attrs.get("standard_name", "")).strip()


def _positive(attrs: Attrs) -> str:
    return str(attrs.get("positive", "")).strip().lower()


def standard_name_words(attrs: Attrs) -> list[str]:
    """Split a standard name into words, without derivatives, causes and assumptions."""
    # An upward derivative of a wind is not an upward component.
    quantity = re.sub(
        r"[a-z]+_derivative_of_|_(due_to|assuming|expressed_as)_.*| .*", "", _name(attrs)
    )
    return quantity.split("_")


def directions_of(component: Attrs) -> set[str]:
    """Return the directions "x", "y" and "z" in the standard name of a component.

    A stress and the flux of a momentum have two directions; many names have none.
    """
    if _name(component).startswith("lagrangian_tendency_of_"):
        return {"z"}
    return {_DIRECTIONS[word] for word in standard_name_words(component) if word in _DIRECTIONS}


def direction_of_coord(name: Hashable, coord: xr.Variable | None) -> str | None:
    """Return the direction "x", "y" or "z" of a coordinate; None if it is unknown."""
    attrs: Attrs = {} if coord is None else coord.attrs
    directions = _COORD_DIRECTIONS
    direction = directions.get(str(latlon_kind(name, coord))) or directions.get(_name(attrs))
    if direction is None and "positive" in attrs:
        return "z"
    axis = str(attrs.get("axis", name)).lower()
    return direction or (axis if axis in ("x", "y", "z") else None)


def points_down(coord: Attrs) -> bool:
    """Return True for a coordinate with the attribute ``positive="down"``."""
    return _positive(coord) == "down"


def sign_along(component: Attrs, coord: Attrs) -> int | None:
    """Return 1 for a component along increasing values of a coordinate, -1 for the reverse.

    Parameters
    ----------
    component : mapping
        Attributes of the component.
    coord : mapping
        Attributes of the coordinate.

    Returns
    -------
    int or None
        The sign; 1 without the attribute ``positive`` of the coordinate. None if the coordinate
        increases downwards and neither name nor attributes of the component have a direction.
    """
    positive = _SIGNS.get(_positive(coord))
    if positive is None or _name(component).startswith("lagrangian_tendency_of_"):
        return 1  # a rate of change of the coordinate has its direction
    signs = [_SIGNS[word] for word in standard_name_words(component) if word in _SIGNS]
    # Fluxes of models have the attribute ``positive``.
    sign = signs[0] if signs else _SIGNS.get(_positive(component), 0)
    if not sign:
        return None if positive < 0 else 1
    return sign * positive


def divergence_name(components: Sequence[Attrs], directions: Sequence[str | None]) -> str | None:
    """Return the standard name of a divergence, if it has one.

    Parameters
    ----------
    components : sequence of mapping
        Attributes of the components.
    directions : sequence of str or None
        Direction of each component.
    """
    return _VECTORS.get(_pair(components, directions), (None, None))[0]


def vorticity_name(
    components: Sequence[Attrs], directions: Sequence[str | None], along: str = "z"
) -> str | None:
    """Return the standard name of a component of a curl, if it has one.

    Parameters
    ----------
    components : sequence of mapping
        Attributes of the components of the vector.
    directions : sequence of str or None
        Direction of each component of the vector.
    along : str
        Direction of the component of the curl.
    """
    name = _VECTORS.get(_pair(components[:2], directions[:2]), (None, None))[1]
    if along == "z" or name != _WIND[1]:
        return name if along == "z" else None
    vertical = _name(components[-1]) in ("upward_air_velocity", "downward_air_velocity")
    return f"atmosphere_{along}_relative_vorticity" if vertical else None


def _pair(components: Sequence[Attrs], directions: Sequence[str | None]) -> tuple[str, str]:
    """Return the standard names of components along x and y; empty for other directions."""
    names = dict(zip(directions, map(_name, components), strict=True))
    return (names["x"], names["y"]) if set(names) == {"x", "y"} else ("", "")


def gradient_name(field: Attrs) -> str | None:
    """Return the standard name of the magnitude of a horizontal gradient, if it has one."""
    name = f"magnitude_of_horizontal_gradient_of_{_name(field)}"
    return name if name in _MAGNITUDES else None


def derivative_name(field: Attrs, name: Hashable, coord: xr.Variable | None) -> str | None:
    """Return the standard name of a first derivative by time or distance, if it has one.

    Parameters
    ----------
    field : mapping
        Attributes of the field.
    name : hashable
        Name of the coordinate.
    coord : Variable or None
        The coordinate: a time, a latitude, a longitude or a height.
    """
    field_name = _name(field)
    if coord is None or not field_name:
        return None
    if is_time(coord):
        known = field_name in _TENDENCIES or field_name.startswith(_MOLES)
        return f"tendency_of_{field_name}" if known else None
    kind, coord_name = latlon_kind(name, coord), _name(coord.attrs)
    if kind is not None and coord_name in ("", kind) and not is_rotated(name, coord):
        direction = {"longitude": "eastward", "latitude": "northward"}[kind]
    elif _positive(coord.attrs) == "up" or (coord_name in ("height", "altitude") and not kind):
        direction = "upward"
    else:
        return None
    result = f"{direction}_derivative_of_{field_name}"
    return result if result in _BY_DISTANCE else None


def is_rotated(name: Hashable, coord: xr.Variable | None) -> bool:
    """Return True for a latitude or longitude of a rotated pole, by its standard name or name."""
    if standard_name := "" if coord is None else _name(coord.attrs):
        return standard_name.startswith("grid_")
    return str(name).lower().startswith(("r", "grid_"))


def is_time(coord: xr.Variable) -> bool:
    """Return True for a coordinate of dates or with the standard name "time"."""
    since = " since " in str(coord.attrs.get("units", ""))
    return coord.dtype.kind in "MO" or since or _name(coord.attrs) == "time"
