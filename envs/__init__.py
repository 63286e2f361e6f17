"""Environments written in C and the vectoriser that steps them; knows cffi and numpy only."""
