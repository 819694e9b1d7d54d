"""Random changes of training samples: what `augment` says, by NumPy alone.

`draw` draws a change for a sample, a matrix from places in the result to places in the original; `resample` moves the
pixels; `augmentation` does both for batches. What is drawn depends on the seed, the epoch and the sample alone, so that
a training which goes on after an interruption, or on another engine, sees what it would have seen.
"""
