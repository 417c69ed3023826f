"""What one side tells the other about how its packets arrive, so that it can find out what the path can carry."""
