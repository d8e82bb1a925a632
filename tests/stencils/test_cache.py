"""The cache of recent results."""

from __future__ import annotations

import pytest

from xgradient.stencils.cache import LRUCache


def test_a_cache_whose_lock_was_held_at_a_fork_is_empty():
    cache: LRUCache[int] = LRUCache(2)
    cache.get("kept", lambda: 1)
    cache._after_fork()
    assert cache.get("kept", lambda: 2) == 1
    cache._lock.acquire()
    cache._after_fork()
    assert cache.get("kept", lambda: 2) == 2


def test_the_least_recently_used_result_is_dropped():
    cache: LRUCache[str] = LRUCache(2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda: "first")
    assert [cache.get(key, lambda: "second") for key in ("a", "c", "b")] == ["first"] * 2 + [
        "second"
    ]


def test_sizes_are_added_up():
    cache: LRUCache[str] = LRUCache(5, size=len)
    for text in ("xx", "yy", "zzz"):
        cache.get(text, lambda text=text: text)
    assert [cache.get(text, lambda: "") for text in ("yy", "zzz")] == ["yy", "zzz"]
    assert cache.get("xx", lambda: "") == ""


def test_a_stale_result_is_made_again_and_an_error_is_not_cached():
    cache: LRUCache[int] = LRUCache(2)
    assert cache.get("key", lambda: 1) == 1
    assert cache.get("key", lambda: 2, lambda result: False) == 2
    with pytest.raises(ZeroDivisionError):
        cache.get("other", lambda: 1 // 0)
    assert cache.get("other", lambda: 3) == 3
