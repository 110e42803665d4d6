"""How a run is told to a client: stream protocols, and one JSON answer."""
