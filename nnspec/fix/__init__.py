"""`nnspec fix`: the certain fixes of a spec, applied round after round, as text, patch or file."""
