"""The data checks of `nnspec check`: compares files with the model and the splits, without loading them."""
