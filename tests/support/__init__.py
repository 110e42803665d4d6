"""What several tests need: a scripted provider, the grammar of events, casts made in code."""
