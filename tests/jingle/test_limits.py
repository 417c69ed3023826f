from __future__ import annotations

from openvoice.jingle.limits import Memory, RateLimit


def test_a_memory_forgets_what_is_old() -> None:
    memory: Memory[str] = Memory(size=10, seconds=60.0)
    memory.add("a", 0.0)
    assert memory.holds("a", 59.9)
    assert not memory.holds("a", 60.0)
    assert not memory.holds("b", 0.0)


def test_a_memory_forgets_the_oldest_when_it_is_full() -> None:
    memory: Memory[int] = Memory(size=3, seconds=60.0)
    for key in (1, 2, 3, 1, 4):
        memory.add(key, 0.0)
    assert [key for key in range(5) if memory.holds(key, 1.0)] == [1, 3, 4]


def test_a_rate_limit_lets_so_many_through_in_a_window() -> None:
    limit: RateLimit[str] = RateLimit(2, 10.0)
    assert [limit.admit("a", now) for now in (0.0, 1.0, 2.0, 9.9, 10.0, 10.5, 11.0)] == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]


def test_keys_do_not_use_up_each_others_share() -> None:
    limit: RateLimit[str] = RateLimit(1, 10.0)
    assert limit.admit("a", 0.0)
    assert not limit.admit("a", 1.0)
    assert limit.admit("b", 1.0)


def test_a_rate_limit_holds_so_many_keys() -> None:
    limit: RateLimit[int] = RateLimit(1, 10.0, size=2)
    for key in range(3):
        assert limit.admit(key, 0.0)
    assert not limit.admit(2, 1.0)
    assert limit.admit(0, 1.0)
