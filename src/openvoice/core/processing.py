"""What is done to the sound of a microphone before it is sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Processing:
    """Which of the three a microphone gets, where the means for them are installed. Files and streams never do."""

    echo: bool = True
    """Take out what the loudspeaker plays."""
    noise: bool = True
    """Make fans, keyboards and streets quieter."""
    level: bool = True
    """Bring quiet and loud voices to one level."""

    def __bool__(self) -> bool:
        return self.echo or self.noise or self.level

    def __str__(self) -> str:
        """In words: ``echo, noise and level``."""
        *first, last = [name for name in ("echo", "noise", "level") if getattr(self, name)] or ["nothing"]
        return f"{', '.join(first)} and {last}" if first else last
