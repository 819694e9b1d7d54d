"""From the values of sources to training data: rows, missing values, splits, windows, padding, labels and scaling."""
