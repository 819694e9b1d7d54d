"""What a deployed model says of itself, in its file and in `interface.json`."""
