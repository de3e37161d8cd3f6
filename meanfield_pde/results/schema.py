"""What the file of a run holds: axes, data sets along them, attributes.

Axes are dimension scales with their coordinates; every other data set is attached to them, so that
the file opens as a labelled data set in any netCDF-4 reader:

    time            record times           energy, ... (time)    mean, variance (time, parameter)
    snapshot_time   save times             density (snapshot_time, <parameters>) on a grid, or
    <parameter>     cell centres           position (snapshot_time, particle, parameter)
    node            numbers of the nodes   node_position (snapshot_time, node, parameter) and
                    of characteristics     node_log_mass (snapshot_time, node); nan beyond the last
    parameter       names                  lower, upper, periodic (parameter)
    particle        numbers (particles)
    x               data nodes             target (x)            prediction (snapshot_time, x)

A refined run has error bars: <scalar>_bar (time), prediction_bar (snapshot_time).

Of two inputs or more, `x` holds the numbers of the data nodes, and `inputs` (x, component) their
coordinates. Samples have a `sample_weight` (x), a loss without a target has no `target`, a fixed
potential has nothing along `x`. What has no axis (the equation, how the run was made, its outcome)
is an attribute of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError
from meanfield_pde.results.solution import SCALARS, Array, Layout

FORMAT = "meanfield_pde run, version 2"
"""The attribute `format` of every file of a run."""

LAYOUT_ATTRIBUTES = ("format", "representation", "equation")
"""Attributes of the file that belong to its layout, not to how the run was made."""

GROWING = ("time", "snapshot_time")
"""The axes that grow, one entry a frame and one entry a snapshot."""

NODES = ("node_position", "node_log_mass")
"""The data sets that grow along `node` as well."""

BAR = "_bar"
"""Behind the name of what an error bar belongs to."""

BARRED = (*SCALARS, "prediction")
"""What can have one."""

TEXTS = ("parameter", "component")
"""The axes whose coordinates are names."""

LONG_NAMES = {
    "time": "record times",
    "snapshot_time": "save times",
    "parameter": "components of theta",
    "particle": "number of the particle",
    "node": "number of the node",
    "node_position": "theta of each node of the characteristics",
    "node_log_mass": "logarithm of the mass of each node",
    "x": "quadrature nodes of the data measure (their numbers, of two inputs or more)",
    "component": "components of x",
    "inputs": "x at the quadrature nodes",
    "sample_weight": "weight of the sample",
    "mean": "mean of theta under mu / mass (circular on a circle)",
    "variance": "variance of theta under mu / mass (circular on a circle)",
    "lower": "lower bound of the parameter",
    "upper": "upper bound of the parameter",
    "periodic": "whether the parameter lives on a circle",
    "density": "density of mu",
    "position": "theta of each particle",
    "target": "f*(x), what is learnt",
    "prediction": "f[mu](x)",
    **SCALARS,
}


def measure_name(layout: Layout) -> str | None:
    """The data set that holds the measure, where there is one besides nodes."""
    if layout.on_grid:
        return "density"
    return "position" if layout.particles else None


def coordinates(layout: Layout) -> dict[str, NDArray[Any]]:
    """The axes of a file and their coordinates; the growing ones start empty."""
    axes: dict[str, NDArray[Any]] = {name: np.empty(0) for name in GROWING}
    axes["parameter"] = np.array(layout.parameters, dtype=object)
    if layout.on_grid:
        axes |= dict(zip(layout.parameters, layout.centres, strict=True))
    elif layout.particles:
        axes["particle"] = np.arange(layout.particles)
    if layout.moving:
        axes["node"] = np.empty(0)
    if layout.inputs.ndim == 2:
        axes["x"] = np.arange(len(layout.inputs))
        axes["component"] = np.array(layout.input_names, dtype=object)
    elif layout.inputs.size:
        axes["x"] = layout.inputs
    return axes


def dimensions(layout: Layout) -> dict[str, tuple[str, ...]]:
    """The data sets of a file and the axes of each."""
    along: dict[str, tuple[str, ...]] = dict.fromkeys(SCALARS, ("time",))
    along |= dict.fromkeys(("mean", "variance"), ("time", "parameter"))
    along |= dict.fromkeys(("lower", "upper", "periodic"), ("parameter",))
    if layout.on_grid:
        along["density"] = ("snapshot_time", *layout.parameters)
    elif layout.particles:
        along["position"] = ("snapshot_time", "particle", "parameter")
    if layout.moving:
        along["node_position"] = ("snapshot_time", "node", "parameter")
        along["node_log_mass"] = ("snapshot_time", "node")
    if layout.inputs.size:
        along["prediction"] = ("snapshot_time", "x")
    if layout.inputs.ndim == 2:
        along["inputs"] = ("x", "component")
    if layout.target.size:
        along["target"] = ("x",)
    if layout.sample_weights.size:
        along["sample_weight"] = ("x",)
    return along


def check_names(layout: Layout, attributes: Mapping[str, Any]) -> None:
    """Raise `InputError` if a parameter or an attribute has a name the file needs itself."""
    others = replace(layout, parameters=(), centres=())
    bars = {f"{name}{BAR}" for name in BARRED}
    taken = {*coordinates(others), *dimensions(others), *bars, "density"}
    for index, name in enumerate(layout.parameters):
        if name in ("", ".") or "/" in name or name in taken or name in layout.parameters[:index]:
            raise InputError(f"parameter name {name!r}: expected one the file does not use itself")
    for name in attributes:
        if name in LAYOUT_ATTRIBUTES:
            raise InputError(f"attribute name {name!r}: expected one the layout does not use")


def create(file: h5py.File, layout: Layout, attributes: Mapping[str, Any]) -> None:
    """Fill a new file with everything but frames."""
    set_attributes(file, attributes)
    values = (FORMAT, layout.representation, layout.equation)
    set_attributes(file, dict(zip(LAYOUT_ATTRIBUTES, values, strict=True)))
    constants = {
        "lower": np.array(layout.lower, dtype=float),
        "upper": np.array(layout.upper, dtype=float),
        "periodic": np.array(layout.periodic, dtype=np.int8),
        "inputs": layout.inputs,
        "target": layout.target,
        "sample_weight": layout.sample_weights,
    }
    axes = coordinates(layout)
    for name, centres in axes.items():
        if name in (*GROWING, "node"):
            _create_growing(file, name, ())
        else:
            _create_constant(file, name, centres)
        file[name].make_scale(name)
    for name, along in dimensions(layout).items():
        if name in NODES:
            _create_nodes(file, name, tuple(axes[axis].size for axis in along[2:]))
        elif along[0] in GROWING:
            _create_growing(file, name, tuple(axes[axis].size for axis in along[1:]))
        else:
            _create_constant(file, name, constants[name])
        for dimension, axis in zip(file[name].dims, along, strict=True):
            dimension.attach_scale(file[axis])
    file["periodic"].attrs["dtype"] = "bool"  # netCDF has no type for truth; readers look for this
    for name, dataset in file.items():
        dataset.attrs["long_name"] = LONG_NAMES.get(name, f"cell centres of {name}")
        if name not in TEXTS:
            dataset.attrs["units"] = "1"


def _create_growing(file: h5py.File, name: str, row: tuple[int, ...]) -> None:
    # Small rows share a chunk of about 64 KiB: the index of chunks stays shallow.
    rows = int(np.clip(2**16 // (8 * max(1, int(np.prod(row)))), 1, 512))
    file.create_dataset(
        name,
        shape=(0, *row),
        maxshape=(None, *row),
        chunks=(rows, *row),
        dtype=float,
        fillvalue=np.nan,
    )


def _create_nodes(file: h5py.File, name: str, entry: tuple[int, ...]) -> None:
    file.create_dataset(
        name,
        shape=(0, 0, *entry),
        maxshape=(None, None, *entry),
        chunks=(1, 2048, *entry),
        dtype=float,
        fillvalue=np.nan,
    )


def put_nodes(file: h5py.File, start: int, nodes: tuple[Array, ...]) -> None:
    """Write the nodes of snapshots from number `start` on; the axis grows to the largest number."""
    most = max((part.shape[0] for part in nodes), default=0)
    numbers = file["node"]
    if most > numbers.size:
        numbers.resize(most, axis=0)
        numbers[:] = np.arange(most)
    for name in NODES:
        file[name].resize(start + len(nodes), axis=0)
        file[name].resize(numbers.size, axis=1)
    for index, part in enumerate(nodes):
        file["node_position"][start + index, : len(part)] = part[:, :-1]
        file["node_log_mass"][start + index, : len(part)] = part[:, -1]


def put_bars(file: h5py.File, bars: Mapping[str, Array]) -> None:
    """Write the error bars of a whole run."""
    for name, bar in bars.items():
        axis = "time" if name in SCALARS else "snapshot_time"
        dataset = file.create_dataset(f"{name}{BAR}", data=bar)
        dataset.dims[0].attach_scale(file[axis])
        dataset.attrs["long_name"] = f"error bar of {name.replace('_', ' ')}"
        dataset.attrs["units"] = "1"


def get_bars(file: h5py.File) -> dict[str, Array]:
    """The error bars, of a run that has some."""
    names = [name for name in BARRED if f"{name}{BAR}" in file]
    return {name: get_values(file, f"{name}{BAR}") for name in names}


def get_nodes(file: h5py.File, snapshots: int) -> tuple[Array, ...]:
    """The nodes of each snapshot."""
    positions, masses = (get_values(file, name) for name in NODES)
    numbers = positions.dtype.kind == masses.dtype.kind == "f"
    shape = (*masses.shape, get_values(file, "parameter").size)
    fits = numbers and masses.ndim == 2 and positions.shape == shape
    if not fits or len(masses) < snapshots:
        raise InputError("its nodes do not fit their axes")
    pairs = zip(positions[:snapshots], masses[:snapshots], strict=True)
    joined = (np.column_stack(pair) for pair in pairs)
    return tuple(part[~np.isnan(part[:, -1])] for part in joined)


def _create_constant(file: h5py.File, name: str, values: NDArray[Any]) -> None:
    text = values.dtype == object
    file.create_dataset(name, data=values, dtype=h5py.string_dtype() if text else values.dtype)


def set_attributes(file: h5py.File, attributes: Mapping[str, Any]) -> None:
    """Set attributes of the file; `InputError` if HDF5 has no type for one."""
    for name, value in attributes.items():
        try:
            file.attrs[name] = value
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"attribute {name!r} = {value!r}: expected a text, a number or a list of them"
            ) from error


def get_attributes(file: h5py.File) -> dict[str, Any]:
    """The attributes that tell how the run was made, as they were given (arrays as lists)."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for name, value in file.attrs.items()
        if name not in LAYOUT_ATTRIBUTES and not name.startswith("_")
    }


def get_values(file: h5py.File, name: str) -> NDArray[Any]:
    """One data set; `InputError` unless its values lie in this very file."""
    # Asking the file itself for the name would already follow a link out of it.
    links = file.id.links
    if not links.exists(name.encode()):
        raise InputError(f"it has no {name!r}")
    if links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise InputError(f"its {name!r} is a link")
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset):
        raise InputError(f"its {name!r} is not a data set")
    if dataset.external or dataset.is_virtual:
        raise InputError(f"its {name!r} lies in another file")
    if h5py.check_string_dtype(dataset.dtype):
        dataset = dataset.asstr()
    values: NDArray[Any] = np.asarray(dataset[()])
    return values


def get_layout(file: h5py.File) -> Layout:
    """The layout the file was created with."""
    representation = str(file.attrs["representation"])
    parameters = tuple(str(name) for name in get_values(file, "parameter"))
    others = set(file) - set(parameters)
    grid = "density" in others

    def along_data(name: str) -> Array:
        return get_values(file, name) if name in others else np.empty(0)

    def along_parameters(name: str, kind: type) -> tuple[Any, ...]:
        values: NDArray[Any] = get_values(file, name).astype(kind)
        if values.shape != (len(parameters),):
            raise InputError(f"its {name!r} does not fit its axis")
        return tuple(values.tolist())

    return Layout(
        representation=representation,
        parameters=parameters,
        lower=along_parameters("lower", float),
        upper=along_parameters("upper", float),
        periodic=along_parameters("periodic", bool),
        centres=tuple(get_values(file, name) for name in parameters) if grid else (),
        particles=get_values(file, "particle").size if "particle" in others else 0,
        inputs=along_data("inputs" if "inputs" in others else "x"),
        target=along_data("target"),
        equation=str(file.attrs["equation"]),
        sample_weights=along_data("sample_weight"),
    )
