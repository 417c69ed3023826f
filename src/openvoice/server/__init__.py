"""Private servers: Prosody and coturn as child processes on loopback, for the demo, for tests, for trying out."""

from __future__ import annotations

from openvoice.server.certificates import Certificate, CertificateAuthority
from openvoice.server.prosody import Prosody
from openvoice.server.turn import Turn

__all__ = ["Certificate", "CertificateAuthority", "Prosody", "Turn"]
