"""How many threads there are: by affinity, by the limits of control groups, by the variable."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from xgradient.kernels import threads

pytestmark = pytest.mark.compiled

V2 = "30 24 0:26 {top} {point} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "33 25 0:29 {top} {point} rw,nosuid shared:15 - cgroup cgroup rw,{controllers}\n"
OTHERS = (
    "22 28 0:21 / /proc rw,nosuid shared:14 - proc proc rw\n"
    "40 25 0:36 / /sys/fs/cgroup/memory rw,nosuid shared:22 - cgroup cgroup rw,memory\n"
    "41 25 0:37 / /sys/fs/cgroup/cpuset rw,nosuid shared:23 - cgroup cgroup rw,cpuset\n"
)


def system(root: Path, own: str, mounts: str, limits: dict[str, str]) -> Path:
    """Write what Linux shows of control groups under another root."""
    texts = {"proc/self/cgroup": own, "proc/self/mountinfo": OTHERS + mounts, **limits}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def version2(root: Path, own: str, limits: dict[str, str], top: str = "/") -> Path:
    mounts = V2.format(top=top, point="/sys/fs/cgroup")
    return system(
        root,
        f"0::{own}\n",
        mounts,
        {f"sys/fs/cgroup{group}/cpu.max": text for group, text in limits.items()},
    )


def version1(root: Path, own: str, limits: dict[str, int], folder: str = "cpu,cpuacct") -> Path:
    quotas = {f"{group}/cpu.cfs_quota_us": f"{quota}\n" for group, quota in limits.items()}
    periods = {f"{group}/cpu.cfs_period_us": "100000\n" for group in limits}
    return system(
        root,
        f"12:memory:/elsewhere\n4:cpuset:/nowhere\n3:{folder}:{own}\n1:name=systemd:/init\n",
        V1.format(top="/", point=f"/sys/fs/cgroup/{folder}", controllers=folder),
        {f"sys/fs/cgroup/{folder}{name}": text for name, text in {**quotas, **periods}.items()},
    )


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("/", {"": "200000 100000\n"}, 2.0),
        ("/", {"": "150000 100000\n"}, 1.5),
        ("/", {"": "max 100000\n"}, math.inf),
        ("/", {}, math.inf),  # the top of a machine has no such file
        ("/a/b", {"/a/b": "300000 100000\n"}, 3.0),
        ("/a/b", {"/a": "50000 20000\n", "/a/b": "max 100000\n"}, 2.5),
        ("/a/b", {"/a": "400000 100000\n", "/a/b": "100000 100000\n"}, 1.0),
        ("/a/b", {"/a": "100000 100000\n", "/a/b": "400000 100000\n"}, 1.0),
        ("/a/b", {"/c": "100000 100000\n"}, math.inf),  # another group's
        ("/../other", {"": "200000 100000\n"}, 2.0),  # outside the namespace of the process
        ("/a", {"/a": "nonsense\n"}, math.inf),
        ("/a", {"/a": ""}, math.inf),
        ("/a", {"/a": "100000 0\n"}, math.inf),
    ],
)
def test_limits_of_control_groups_of_version_2(own, limits, expected, tmp_path):
    assert threads.cpu_quota(version2(tmp_path, own, limits)) == expected


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpuacct,cpu", "cpu"])
@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("/", {"": 200_000}, 2.0),
        ("/", {"": -1}, math.inf),
        ("/", {}, math.inf),
        ("/docker/ab12", {"": -1, "/docker": -1, "/docker/ab12": 250_000}, 2.5),
        ("/a/b", {"": -1, "/a": 150_000, "/a/b": 800_000}, 1.5),
        # A container without a namespace: the path is the machine's, the files are its own.
        ("/docker/ab12", {"": 200_000}, 2.0),
    ],
)
def test_limits_of_control_groups_of_version_1(folder, own, limits, expected, tmp_path):
    assert threads.cpu_quota(version1(tmp_path, own, limits, folder)) == expected


def test_a_mount_of_a_group_within_the_tree(tmp_path):
    limits = {"": "500000 100000\n", "/inner": "200000 100000\n"}
    root = version2(tmp_path, "/pods/mine/inner", limits, top="/pods/mine")
    assert threads.cpu_quota(root) == 2.0


def test_both_versions_side_by_side(tmp_path):
    """Version 2 is there for other controllers, and version 1 shares out the processors."""
    root = system(
        tmp_path,
        "3:cpu,cpuacct:/job\n0::/user.slice\n",
        V1.format(top="/", point="/sys/fs/cgroup/cpu,cpuacct", controllers="cpu,cpuacct")
        + V2.format(top="/", point="/sys/fs/cgroup/unified"),
        {
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "300000\n",
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
        },
    )
    assert threads.cpu_quota(root) == 3.0


@pytest.mark.parametrize("text", ["", "nonsense\n", "0::\n", "1:cpu\n"])
def test_what_cannot_be_read_is_no_limit(text, tmp_path):
    assert threads.cpu_quota(tmp_path / "no Linux") == math.inf
    assert threads.cpu_quota(system(tmp_path, text, "nonsense\n" + text, {})) == math.inf


@pytest.mark.parametrize(
    ("quota", "affinity", "expected"),
    [
        (2.0, 64, 2),
        (1.5, 64, 2),  # as dask: a part of a processor is one
        (0.1, 64, 1),
        (math.inf, 64, 64),
        (64.0, 2, 2),
    ],
)
def test_as_many_threads_as_processors_are_granted(quota, affinity, expected, monkeypatch):
    monkeypatch.delenv(threads.NUM_THREADS_ENV, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affinity)), raising=False)
    monkeypatch.setattr(threads, "cpu_quota", lambda: quota)
    assert threads.processor_count() == threads.thread_count() == expected
    monkeypatch.setenv(threads.NUM_THREADS_ENV, "7")
    assert threads.thread_count() == 7


def test_a_system_without_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.processor_count() == 1


def test_the_count_is_that_of_dask(monkeypatch):
    """On this machine, whatever its limits; dask looks at the group of the process itself."""
    pytest.importorskip("dask")
    from dask.system import cpu_count

    monkeypatch.delenv(threads.NUM_THREADS_ENV, raising=False)
    assert 1 <= threads.thread_count() <= cpu_count()
