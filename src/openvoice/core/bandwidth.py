"""How much of the network a call may take: kbit/s that it sends, with the headers of IP, UDP and SRTP."""

from __future__ import annotations

DEFAULT_BANDWIDTH = 90.0
"""Enough for speech that survives a fifth of its packets lost. More than that improves nothing."""
LEAST_BANDWIDTH = 16.0
"""With less no speech is understood."""
