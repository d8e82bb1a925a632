"""Inputs and outputs at addresses: fsspec's file systems, zip files and an OPeNDAP server."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ..support.command_line import MARKS, here, load, run, store

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("netCDF4")
zarr = pytest.importorskip("zarr")

pytestmark = MARKS
SLOPE = [1.0, 2.0, 4.0, 6.0, 7.0]


@pytest.fixture
def memory():
    """The files of ``memory://``, which are gone after each test."""
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch, memory):
    """Every test in a folder with a parabola in a file, a store, a zip file and in memory."""
    monkeypatch.chdir(tmp_path)
    x = np.arange(5.0)
    ds = xr.Dataset({"t": ("x", x**2)}, {"x": x})
    store(ds, "in.nc")
    store(ds, "in.zarr")
    shutil.make_archive("in.zarr", "zip", "in.zarr")
    memory.put("in.zarr", "/in.zarr", recursive=True)
    memory.put("in.zarr", "/nosuffix", recursive=True)
    memory.put("in.zarr.zip", "/in.zarr.zip")
    memory.put("in.nc", "/in.nc")


LOCAL = {"in.nc", "in.zarr", "in.zarr.zip"}


def slope(target: str, memory) -> list[float]:
    """The result as another program finds it: copied here if it is not, and opened by xarray."""
    if target.startswith("memory://"):
        name = target.removeprefix("memory://")
        memory.get(f"/{name}", f"copy-{name}", recursive=True)
        target = f"copy-{name}"
    if target.endswith(".zip"):
        with zipfile.ZipFile(target) as archive:
            assert len(set(archive.namelist())) == len(archive.namelist())
            archive.extractall("unzipped.zarr")
        target = "unzipped.zarr"
    return load(target).dt_dx.values.tolist()


SOURCES = ["in.nc", "in.zarr.zip", "memory://in.zarr", "memory://nosuffix", "memory://in.zarr.zip"]
TARGETS = [
    *("out.nc", "out.zarr", "out.zarr.zip"),
    *(f"memory://out{suffix}" for suffix in (".nc", ".zarr", ".zarr.zip")),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_from_everywhere_to_everywhere(source, target, memory):
    run(f"grad {source} {target} --dim x")
    assert slope(target, memory) == SLOPE


@pytest.mark.parametrize("target", TARGETS)
def test_outputs_are_replaced_only_when_asked(target, memory):
    run(f"grad in.nc {target} --dim x")
    told = run(f"grad in.nc {target} --dim x --deriv 2", code=1).stderr
    assert told == (
        f"xgradient: error: output {target} exists; name another, or replace it with --overwrite\n"
    )
    assert slope(target, memory) == SLOPE
    x = np.arange(5.0)
    store(xr.Dataset({"t": ("x", 2 * x**2)}, {"x": x}), "twice.nc")
    run(f"grad twice.nc {target} --dim x --overwrite")
    shutil.rmtree("unzipped.zarr", ignore_errors=True)
    shutil.rmtree("copy-out.zarr", ignore_errors=True)
    assert slope(target, memory) == [2 * value for value in SLOPE]


@pytest.mark.parametrize("target", TARGETS)
def test_an_error_leaves_nothing(target, memory, monkeypatch):
    before = set(memory.find("/"))

    def fail(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zarr, "consolidate_metadata", fail)
    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail)
    told = run(f"grad in.nc {target} --dim x", code=1).stderr
    assert told == f"xgradient: error: writing {target} failed: No space left on device\n"
    assert here() == LOCAL
    assert set(memory.find("/")) == before


def test_addresses_of_this_machine_are_paths(tmp_path):
    run(f"grad file://{tmp_path}/in.nc file://{tmp_path}/out.nc --dim x")
    assert load("out.nc").dt_dx.values.tolist() == SLOPE
    run("grad in.nc ./a::b.nc --dim x")
    assert here() == {*LOCAL, "out.nc", "a::b.nc"}


def test_a_netcdf_file_at_an_address(monkeypatch, memory):
    if importlib.util.find_spec("h5netcdf") and importlib.util.find_spec("h5py"):
        run("grad memory://in.nc out.nc --dim x")
        assert load("out.nc").dt_dx.values.tolist() == SLOPE
    monkeypatch.setattr(importlib.util, "find_spec", without("h5netcdf"))
    assert run("grad memory://in.nc out2.nc --dim x", code=1).stderr == (
        "xgradient: error: input memory://in.nc is a NetCDF file at an address, which needs "
        "h5netcdf; install it with: pip install h5netcdf h5py, or copy the file to this machine "
        "first\n"
    )


def without(module: str):
    find = importlib.util.find_spec
    return lambda name, *rest: None if name == module else find(name, *rest)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("memory://none.zarr out.nc", "input memory://none.zarr does not exist, or is not a file"),
        ("memory://none.nc out.nc", "input memory://none.nc does not exist, or is not a file"),
        ("memory://none.zip out.nc", "input memory://none.zip does not exist, or is not a file"),
        ("nothing://in.zarr out.nc", "input nothing://in.zarr cannot be used: Protocol not known"),
        ("in.nc nothing://o.zarr", "output nothing://o.zarr cannot be used: Protocol not known"),
        ("in.nc memory://out.txt", "output memory://out.txt has no known suffix; end it in .zarr"),
        ("in.nc https://a.org/o.zarr", "output https://a.org/o.zarr cannot be written, because"),
        ("memory://in.zarr memory:///in.zarr -O", "output memory:///in.zarr is the input, or one"),
        ("memory://in.zarr memory://in.zarr/o.zarr", "output memory://in.zarr/o.zarr is the"),
        ("in.nc memory://in.nc/ -O", "output memory://in.nc/ exists but is not a file"),
        ("in.nc memory://folder.zarr -O", "output memory://folder.zarr exists but is not a Zarr"),
        ("http://127.0.0.1:9/data out.nc", "cannot read http://127.0.0.1:9/data: NetCDF: "),
        ("in.txt.zip out.nc", "cannot read in.txt.zip: "),
    ],
)
def test_errors_of_addresses_are_one_line(words, told, memory):
    memory.pipe("/folder.zarr/precious", b"data")
    if words.startswith("in.nc memory://in.nc/"):
        memory.rm("/in.nc")
        memory.pipe("/in.nc/precious", b"data")
    Path("in.txt.zip").write_text("no archive")
    before = dict(memory.store)
    result = run(f"grad {words} --dim x", code=1)
    assert result.stderr.startswith(f"xgradient: error: {told}")
    assert result.stderr.count("\n") == 1
    assert here() == {*LOCAL, "in.txt.zip"}
    assert dict(memory.store).keys() == before.keys()


def test_without_fsspec_an_address_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert run("grad s3://bucket/in.zarr out.nc --dim x", code=1).stderr == (
        "xgradient: error: input s3://bucket/in.zarr is an address, which needs fsspec; "
        "install it with: pip install fsspec\n"
    )


# A server of the Data Access Protocol 2.0, as its specification (NASA ESE-RFC-004) has it

VALUES = np.arange(5.0) ** 2
DDS = "Dataset {\n    Float64 x[x = 5];\n    Float64 t[x = 5];\n} data;\n"
DAS = """Attributes {
    x { String units "m"; }
    t { String units "K"; }
}
"""


def xdr(values: np.ndarray) -> bytes:
    """Numbers as DAP sends an array: its length twice, then big-endian values."""
    length = np.array([values.size] * 2, ">u4").tobytes()
    return length + values.astype(">f8").tobytes()


class Server(BaseHTTPRequestHandler):
    """Answer with descriptions and with the requested part of each variable."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        query = query.replace("%5B", "[").replace("%5D", "]").replace("%3A", ":")
        if path.endswith(".dds"):
            body = DDS.encode()
        elif path.endswith(".das"):
            body = DAS.encode()
        elif path.endswith(".dods"):
            names, data = [], b""
            for part in query.split(",") if query else ["x", "t"]:
                name, _, window = part.partition("[")
                values = {"x": np.arange(5.0), "t": VALUES}[name]
                if window:
                    first, *step, last = (int(number) for number in window[:-1].split(":"))
                    values = values[first : last + 1 : step[0] if step else 1]
                names.append(f"    Float64 {name}[x = {values.size}];\n")
                data += xdr(values)
            body = f"Dataset {{\n{''.join(names)}}} data;\nData:\n".encode() + data
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("XDODS-Server", "dods/3.2")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Print nothing."""


def test_an_opendap_address_is_read_by_netcdf4():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        run(f"grad http://127.0.0.1:{server.server_port}/data out.nc --dim x")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert load("out.nc").dt_dx.values.tolist() == SLOPE
    assert load("out.nc").dt_dx.attrs["units"] == "K m-1"
