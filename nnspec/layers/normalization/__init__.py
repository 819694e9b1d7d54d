"""Normalization: by statistics of training (`batch`), of each sample (`per_sample`), by given numbers (`rescaling`),
and of a kernel (`spectral`, a wrapper).
"""
