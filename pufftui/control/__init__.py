"""The way to control a run from another process: a local socket that only its user can open."""
