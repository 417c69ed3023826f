"""How coded pictures travel in RTP packets."""
