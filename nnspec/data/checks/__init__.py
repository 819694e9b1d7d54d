"""The data half of `nnspec check`: what files say, against the model and the splits, without loading them."""
