"""Checks of `search`: its goal, and its space."""
