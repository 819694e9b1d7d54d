"""What a spec can name under `model`: a folder for each family of layers, found by kind in `registry`."""
