"""The layers of specs: a folder for each family, found by kind in `registry`."""
