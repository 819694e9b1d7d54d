"""Proposes a spec for a data file: what its columns hold, which task a target is, and a small network for it."""
