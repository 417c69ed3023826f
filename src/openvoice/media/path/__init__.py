"""How packets get onto a network path: as many as it takes, voice first."""
