"""The tools of agents.yaml: plain functions, typed and documented."""
