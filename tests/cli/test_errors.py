"""Errors of the operating system are one line, and no output replaces another unasked."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

click_testing = pytest.importorskip("click.testing")
for module in ("dask", "tqdm", "netCDF4", "zarr"):
    pytest.importorskip(module)
from xgradient.cli import files, locations, outputs  # noqa: E402

from ..support.command_line import invoke as invoke_cli  # noqa: E402
from ..support.marks import some_slow  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part"),
    pytest.mark.filterwarnings("ignore:numpy.ndarray size changed"),
]

posix = pytest.mark.skipif(os.name != "posix", reason="names and rights of POSIX")
TARGETS = ["out.nc", "out.zarr"]


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Every test in a folder of its own, with a parabola in a file and in a store."""
    monkeypatch.chdir(tmp_path)
    x = np.arange(5.0)
    ds = xr.Dataset({"t": ("x", x**2)}, {"x": x})
    ds.to_netcdf("in.nc", engine="netcdf4")
    ds.to_zarr("in.zarr", consolidated=False)


def here(folder: str = ".") -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def invoke(*words: str) -> click_testing.Result:
    return invoke_cli("grad", *words, "--dim", "x", "--var", "t")


def refused(told: str, *words: str, code: int = 1) -> None:
    """The command tells what is wrong in one line, and leaves nothing behind."""
    before = here()
    result = invoke(*words)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code
    assert result.stderr.startswith("xgradient: error: ")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert here() == before


def slope(path: str | Path) -> list[float]:
    engine = "zarr" if Path(path).is_dir() else "netcdf4"
    store = locations.local_store(Path(path)) if engine == "zarr" else path
    with xr.open_dataset(store, engine=engine) as ds:
        return ds.dt_dx.values.tolist()


SLOPE = [1.0, 2.0, 4.0, 6.0, 7.0]

# Names


@posix
@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
@pytest.mark.parametrize("length", [100, 240, 254, 255])
@pytest.mark.parametrize("letter", ["a", "é", "🌍"])
def test_names_as_long_as_they_may_be(letter, length, suffix):
    room = length - len(suffix)
    count = room // len(letter.encode())
    name = letter * count + "b" * (room - count * len(letter.encode())) + suffix
    assert len(os.fsencode(name)) == length
    assert invoke("in.nc", name).exit_code == 0
    assert slope(name) == SLOPE
    assert invoke("in.nc", name, "--overwrite").exit_code == 0
    assert here() == {"in.nc", "in.zarr", name}


@posix
@pytest.mark.parametrize("length", [256, 300, 10_000])
def test_names_that_are_too_long(length):
    for suffix in (".nc", ".zarr"):
        name = "a" * (length - len(suffix)) + suffix
        refused("cannot be used: File name too long", "in.nc", name)
        refused("cannot be used: File name too long", name, "out.nc")
        refused("cannot be used: File name too long", "in.nc", f"{name}/out.nc")


@posix
@pytest.mark.parametrize("name", ["loop.nc", "loop.zarr", "loop/out.nc", "first.nc"])
def test_loops_of_symbolic_links(name):
    for link in ("loop", "loop.nc", "loop.zarr"):
        Path(link).symlink_to(link)
    Path("first.nc").symlink_to("second.nc")
    Path("second.nc").symlink_to("first.nc")
    refused(f"input {name} ", name, "out.nc")
    refused(f"output {name} ", "in.nc", name)
    refused(f"output {name} ", "in.nc", name, "--overwrite")


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
@pytest.mark.parametrize("name", ["x::y", "file::y", "memory:y", "s3:y", "a#b", "a?b=c", "a%20b"])
def test_names_that_look_like_addresses(name, suffix):
    if os.name != "posix":
        pytest.skip("such names cannot be")
    copy = shutil.copytree if suffix == ".zarr" else shutil.copy
    copy(f"in{suffix}", f"{name}{suffix}")
    assert invoke(f"{name}{suffix}", f"out-{name}{suffix}").exit_code == 0
    assert slope(f"out-{name}{suffix}") == SLOPE
    assert len(here()) == 4


@posix
@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_names_that_are_no_text(suffix):
    name = os.fsdecode(b"\xff\xfe") + suffix
    refused("does not exist", name, "out.nc")
    assert invoke("in.nc", name).exit_code == 0
    assert here() == {"in.nc", "in.zarr", name}


def test_names_with_line_ends_and_null_bytes():
    refused("input no line.nc does not exist", "no\nline.nc", "out.nc")
    refused("cannot be used: embedded null byte", "in\0.nc", "out.nc")
    refused("cannot be used: embedded null byte", "in.nc", "out\0.nc")


# Inputs and outputs that are not files


@posix
def test_pipes_and_devices_are_no_files():
    os.mkfifo("pipe.nc")
    Path("device.nc").symlink_to("/dev/null")
    Path("folder.zarr").mkdir()
    os.mkfifo("folder.zarr/zarr.json")  # to open it would wait for a writer
    refused("input pipe.nc is not a file or Zarr store", "pipe.nc", "out.nc")
    refused("input device.nc is not a file or Zarr store", "device.nc", "out.nc")
    refused("input /dev/null is not a file or Zarr store", "/dev/null", "out.nc")
    refused("input folder.zarr is a directory but not a Zarr store", "folder.zarr", "out.nc")
    refused("output pipe.nc exists; name another", "in.nc", "pipe.nc")
    refused("output pipe.nc exists but is not a file", "in.nc", "pipe.nc", "--overwrite")
    refused("output /dev/null has no known suffix", "in.nc", "/dev/null")


# Rights and room


@pytest.fixture
def without_rights():
    """A folder that this process may not search, and one that it may not write to."""
    if not hasattr(os, "seteuid"):
        pytest.skip("rights of POSIX")
    root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp())
    for name, mode in (("closed", 0o000), ("readable", 0o555)):
        (folder / name).mkdir()
        shutil.copy("in.nc", folder / name / "in.nc")
        (folder / name).chmod(mode)
    shutil.copy("in.nc", folder / "secret.nc")
    (folder / "secret.nc").chmod(0)
    shutil.copytree("in.zarr", folder / "secret.zarr")
    (folder / "secret.zarr" / "zarr.json").chmod(0)
    folder.chmod(0o755)
    # Temporary folders are their owner's alone.
    os.chdir(folder)
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)
    os.chdir("/")
    for name in ("closed", "readable"):
        (folder / name).chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("closed/in.nc readable/out.nc", "input closed/in.nc cannot be used: Permission denied"),
        ("readable/in.nc closed/out.nc", "output closed/out.nc cannot be used: Permission denied"),
        ("readable/in.nc readable/out.nc", "writing readable/out.nc failed: Permission denied"),
        ("readable/in.nc readable/out.zarr", "writing readable/out.zarr failed: Permission denied"),
        ("secret.nc readable/out.nc", "cannot read secret.nc: Permission denied"),
        ("secret.zarr readable/out.nc", "cannot read secret.zarr: Permission denied"),
    ],
)
def test_folders_and_files_without_rights(words, told, without_rights):
    refused(told, *words.split())


@posix
@pytest.mark.parametrize("target", TARGETS)
def test_a_folder_that_is_removed_meanwhile(target, monkeypatch):
    Path("folder").mkdir()
    write = files.write

    def slow(*args):
        write(*args)
        shutil.rmtree("folder")

    monkeypatch.setattr(files, "write", slow)
    result = invoke("in.nc", f"folder/{target}")
    assert result.stderr == (
        f"xgradient: error: folder/{target} was not written: No such file or directory\n"
    )
    assert result.exit_code == 1
    assert here() == {"in.nc", "in.zarr"}


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (locations, "check_paths"),
        (files, "in_chunks"),
        (files, "zarr_version"),
        (files, "clean_encodings"),
    ],
)
@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE])
def test_an_error_of_the_system_at_any_step(module, step, number, monkeypatch):
    def fail(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, step, fail)
    refused(f"out.nc was not written: {os.strerror(number)}", "in.nc", "out.nc")


@pytest.mark.parametrize("method", ["unlink", "is_dir"])
def test_what_cannot_be_removed_hides_no_error(method, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)

    def fail(self, *args, **options):
        raise PermissionError(errno.EACCES, "no")

    def write():
        with outputs.written_whole(Path("o.nc")) as partial:
            partial.touch()
            monkeypatch.setattr(Path, method, fail)
            raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"):
        write()


def command(*words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xgradient", *words],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
        **options,
    )


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("grad in.nc out.nc --dim x", "out.nc was written, but its summary was not: "),
        ("--help", ""),
        ("grad --help", ""),
    ],
)
def test_standard_output_that_takes_nothing(words, told):
    with Path("/dev/full").open("w") as full:
        done = command(*words.split(), stdout=full)
    assert done.returncode == 1
    assert done.stderr == f"xgradient: error: {told}No space left on device\n"
    assert Path("out.nc").exists() == ("grad in.nc" in words)


@pytest.mark.slow
@posix
def test_a_reader_that_goes_away_is_told_nothing():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = command("grad", "in.nc", "out.nc", "--dim", "x", stdout=closed)
    assert (done.returncode, done.stderr) == (1, "")
    assert slope("out.nc") == SLOPE


# Names that are taken meanwhile


RACE = """
import multiprocessing, sys
import netCDF4, numpy as np, tqdm.dask, xarray as xr, zarr
from xgradient.cli import files
from xgradient.cli.commands import cli

# What all of them need is loaded once.
xr.DataArray(np.ones(5), {"x": np.arange(5.0)}, name="t").grad("x")

context = multiprocessing.get_context("fork")
barrier, write = context.Barrier(6), files.write

def together(*args):
    write(*args)
    barrier.wait(60)

def run(target, options):
    cli(["grad", "in.nc", target, "--dim", "x", *options], prog_name="xgradient")

files.write = together
runs = [context.Process(target=run, args=(sys.argv[1], sys.argv[2:])) for _ in range(6)]
for process in runs:
    process.start()
for process in runs:
    process.join(100)
print("codes", sorted(process.exitcode for process in runs))
"""


def race(*words: str) -> subprocess.CompletedProcess[str]:
    """Six runs to one name, all of which have written their data before one takes the name."""
    options = {**os.environ, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, "-c", RACE, *words],
        capture_output=True,
        text=True,
        check=True,
        env=options,
        timeout=150,
    )


@pytest.mark.slow
@posix
@pytest.mark.parametrize("target", some_slow(TARGETS, 2))
def test_of_six_runs_to_one_name_one_succeeds(target):
    done = race(target)
    lines = done.stderr.splitlines()
    assert done.stdout.splitlines()[-1] == "codes [0, 1, 1, 1, 1, 1]"
    assert len(lines) == 5
    for line in lines:
        assert line == (
            f"xgradient: error: output {Path(target).resolve()} appeared meanwhile and is not "
            "replaced; name another, or replace it with --overwrite"
        )
    assert here() == {"in.nc", "in.zarr", target}
    assert slope(target) == SLOPE


@pytest.mark.slow
@posix
@pytest.mark.parametrize("target", some_slow(TARGETS, 2))
def test_of_six_runs_that_overwrite_all_succeed(target):
    assert invoke("in.nc", target).exit_code == 0
    done = race(target, "--overwrite")
    assert done.stdout.splitlines()[-1] == "codes [0, 0, 0, 0, 0, 0]", done.stderr
    assert done.stderr == ""
    assert here() == {"in.nc", "in.zarr", target}
    assert slope(target) == SLOPE


def make(kind: str, name: str) -> None:
    """Put something under a name, as another program may do."""
    if kind == "file":
        Path(name).write_text("precious")
    elif kind == "link":
        Path(name).symlink_to("nowhere")
    elif kind == "pipe":
        os.mkfifo(name)
    else:
        Path(name).mkdir()
        if kind != "empty folder":
            Path(name, "zarr.json" if kind == "store" else "data").write_text("precious")


def seen(path: str) -> list[str]:
    """Return the content of a file or folder of this name."""
    found = [path, str(os.lstat(path).st_mode), str(os.lstat(path).st_ino)]
    if Path(path).is_dir():
        return found + [f"{p.name} {p.read_text()}" for p in Path(path).iterdir()]
    return found + ([Path(path).read_text()] if Path(path).is_file() else [])


@posix
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", ["file", "link", "pipe", "folder", "empty folder", "store"])
@pytest.mark.parametrize("option", [[], ["--overwrite"]])
def test_what_appears_meanwhile_is_not_replaced_unasked(target, kind, option, monkeypatch):
    write, before = files.write, []

    def slow(*args):
        write(*args)
        make(kind, target)
        before.append(seen(target))

    monkeypatch.setattr(files, "write", slow)
    result = invoke("in.nc", target, *option)
    same = kind == ("store" if target.endswith(".zarr") else "file")
    if option and same:
        assert result.exit_code == 0
        assert slope(target) == SLOPE
    else:
        assert result.exit_code == 1, (result.output, result.exception)
        told = "exists but is no" if option else "appeared meanwhile and is not replaced"
        assert told in result.stderr
        assert result.stderr.count("\n") == 1
        assert seen(target) == before[0]
    assert here() == {"in.nc", "in.zarr", target}


@posix
@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_hard_links(number, monkeypatch):
    def refuse(*args, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    assert invoke("in.nc", "out.nc").exit_code == 0
    assert slope("out.nc") == SLOPE
    write = files.write

    def slow(*args):
        write(*args)
        Path("other.nc").write_text("precious")

    monkeypatch.setattr(files, "write", slow)
    result = invoke("in.nc", "other.nc")
    assert "other.nc appeared meanwhile and is not replaced" in result.stderr
    assert Path("other.nc").read_text() == "precious"
    assert here() == {"in.nc", "in.zarr", "out.nc", "other.nc"}


def test_a_file_that_is_overwritten_is_there_at_every_moment():
    target, stop, absent = Path("out.nc").resolve(), threading.Event(), []
    target.write_text("old")

    def look() -> None:
        while not stop.is_set():
            try:
                if target.stat().st_size == 0:
                    absent.append("empty")
            except FileNotFoundError:
                absent.append("absent")

    watcher = threading.Thread(target=look)
    watcher.start()
    for i in range(200):
        with outputs.written_whole(target) as partial:
            partial.write_text(f"new {i}")
    stop.set()
    watcher.join()
    assert absent == []
    assert target.read_text() == "new 199"


def test_the_demo_replaces_files_alone(tmp_path):
    pytest.importorskip("iris_sample_data")
    pytest.importorskip("matplotlib")
    Path("xgradient_demo.nc").mkdir()
    Path("xgradient_demo.nc/precious").touch()
    result = invoke_cli("demo")
    assert result.exit_code == 1
    assert "xgradient_demo.nc exists but is not a file, so it is not replaced" in result.stderr
    assert here("xgradient_demo.nc") == {"precious"}


def test_the_command_runs_as_it_did(tmp_path):
    done = command(*shlex.split("grad in.zarr out.zarr --dim x"), stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "dt_dx (x: 5) float64\n"
