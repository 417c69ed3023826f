"""Microphones and loudspeakers of this machine, by way of PortAudio."""
