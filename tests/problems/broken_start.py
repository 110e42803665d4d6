"""A module of tools whose database is away."""

raise ConnectionError("the database is away")
