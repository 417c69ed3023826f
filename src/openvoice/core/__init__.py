"""The logic of calls: pure data and pure functions, without clocks, sockets, tasks or chance."""
