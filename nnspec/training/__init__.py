"""Training: what acts on it, what goes on after an interruption, and the fit itself."""
