"""The conductor: the only place that constructs adapters and joins them to the logic of calls."""
