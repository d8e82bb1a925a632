"""Operators on DataTrees: node by node, where a node has the names of the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from ..labels.attrs import kept_attrs
from ..labels.hints import MissingNameError
from ..labels.named_options import without_names_of_others
from ..labels.requested_units import RequestedUnits, SharedUnits

#: Options whose keys are names of coordinates, of which a node may have some.
NAMED_OPTIONS = ("spacing", "periodic", "boundary", "coast")


def map_nodes(
    operator: Callable[..., Any], tree: xr.DataTree, args: tuple[Any, ...], options: dict[str, Any]
) -> xr.DataTree:
    """Apply an operator to every node of a tree.

    A node without the names of the call keeps its coordinates and attributes only, as variables
    without the dimensions are left out of a Dataset. The result has all nodes of the tree.

    Parameters
    ----------
    operator : callable
        The operator, a function of a Dataset.
    tree : DataTree
        The nodes; each sees the coordinates that it inherits.
    args, options : tuple, dict
        The arguments of the call. A name in ``spacing``, ``periodic``, ``boundary`` or ``units``
        is for the nodes that have it.

    Raises
    ------
    TypeError, ValueError
        If no node has the names, or the operator refuses a node, which the message then names.
    """
    nodes, units = node_datasets(tree), options.get("units")
    if isinstance(units, Mapping):
        options = {**options, "units": SharedUnits(units)}
    results = call_at_nodes(lambda ds, **own: operator(ds, *args, **own), nodes, options)
    datasets = {}
    for path, ds in nodes.items():
        found = results.get(path, ds.coords)
        result = found if isinstance(found, xr.Dataset) else found.to_dataset()
        datasets[path] = result.assign_attrs(kept_attrs(ds.attrs))
    if isinstance(units, Mapping):
        names = [name for path in results for name in datasets[path].data_vars]
        RequestedUnits(None, units).check_names(dict.fromkeys(names))
    return xr.DataTree.from_dict(datasets, name=tree.name)


def node_datasets(tree: xr.DataTree) -> dict[str, xr.Dataset]:
    """Return the Dataset of each node, inherited coordinates included, by its path."""
    paths = [path for path, _ in xr.group_subtrees(tree)]
    return {path: tree[path].to_dataset() for path in paths}


def call_at_nodes(
    function: Callable[..., Any], nodes: Mapping[str, xr.Dataset], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the result of a function for each node that has the names of the call.

    Raises
    ------
    TypeError, ValueError
        If no node has the names, or the function refuses a node.
    """
    results: dict[str, Any] = {}
    missing: dict[str, MissingNameError] = {}
    for path, ds in nodes.items():
        own = {
            name: without_names_of_others(value, ds, nodes.values())
            if name in NAMED_OPTIONS
            else value
            for name, value in options.items()
        }
        try:
            results[path] = function(ds, **own)
        except MissingNameError as error:
            missing[path] = error
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"node {node_label(path)!r}: {error}") from error
    if not results:
        # A node with data shows best what is there.
        path = next((path for path in missing if nodes[path].data_vars), next(iter(missing)))
        raise ValueError(
            f"no node of the tree has the names of the call; at node {node_label(path)!r}, "
            f"{missing[path]}"
        ) from missing[path]
    return results


def node_label(path: str) -> str:
    """Return the path of a node below the tree; that of the tree itself is a slash."""
    return "/" if path == "." else f"/{path}"
