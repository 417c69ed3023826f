"""Secrets that are forgotten with the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MemorySecrets:
    """A :class:`~openvoice.ports.SecretStore` that forgets everything with the process."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def write(self, name: str, value: bytes) -> None:
        self.kept[name] = value

    def remove(self, name: str) -> None:
        self.kept.pop(name, None)

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.kept if name.startswith(prefix))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        before = dict(self.kept)
        try:
            yield
        except BaseException:
            self.kept = before
            raise
