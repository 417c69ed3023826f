"""Ways to reach people: one package for each protocol."""
