"""For tests of programs that call: servers, clients and bad networks as pytest fixtures, and fakes of every port.

The fixtures ``prosody``, ``turn``, ``clients`` and ``impaired_link`` are there wherever openvoice is installed; see
:mod:`openvoice.testing.plugin`. The rest is imported by name, for instance from :mod:`openvoice.testing.fakes`.
"""
