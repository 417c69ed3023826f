"""The conformance kit: plays other clients' sides of recorded exchanges against any client that can be reached."""
