"""Pictures to send: cameras, screens, files, patterns, arrays. Each is a :class:`~openvoice.ports.VideoInput`."""
