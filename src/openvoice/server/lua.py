"""Python values as Lua, the language of Prosody's configuration and of its data files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LuaValue = bool | int | str | Sequence["LuaValue"] | Mapping["str | bool", "LuaValue"]


def lua(value: LuaValue) -> str:
    """Write ``value`` as a Lua expression: a list becomes an array, a mapping a table with keys."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{ " + " ".join(f"[{lua(key)}] = {lua(each)};" for key, each in value.items()) + " }"
    return "{ " + " ".join(f"{lua(each)};" for each in value) + " }"


def settings(values: Mapping[str, LuaValue]) -> str:
    """One assignment a line, as in a configuration file."""
    return "".join(f"{name} = {lua(value)}\n" for name, value in values.items())


def _quoted(text: str) -> str:
    """A Lua string holds bytes: all that could end it or mean something else is written as a decimal escape."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}" for byte in text.encode())
    return '"' + "".join(plain) + '"'
