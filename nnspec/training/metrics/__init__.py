"""The metrics of an outcome: targets beside what the model said. NumPy and scikit-learn, no framework.

Training writes them to metrics.json, and `nnspec evaluate` prints them for a deployed file: one definition for both.
"""
