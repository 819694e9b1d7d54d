"""`nnspec fix`: applies certain fixes until none is left, and writes text, a patch or the file."""
