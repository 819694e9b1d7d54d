"""Search: `searching` runs a space's trials, `trial` trains a point of it, `winner` makes the build of the best one."""
