"""Checks of what an output is: its task, its class axis, and the functions behind its last weights."""
