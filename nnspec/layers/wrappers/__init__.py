"""`time_distributed`: a layer at every position of an axis, and what all wrappers share."""
