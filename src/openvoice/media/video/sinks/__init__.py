"""Places for received pictures to go. Each is a :class:`~openvoice.ports.VideoOutput`."""
