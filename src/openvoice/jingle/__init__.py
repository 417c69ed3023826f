"""Jingle and its companions, pure: stanzas in, stanzas and call inputs out. No clock, no sockets, no chance."""
