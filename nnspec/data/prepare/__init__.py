"""From what sources hold to what is trained on: rows, missing values, splits, windows, padding, labels and scaling."""
