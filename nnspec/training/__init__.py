"""Training: the fit, what runs during it, and its continuation after an interruption.

`train` fits. Before it come `plan` and `settings` (the section as values), `start` (weights to start from), `targets`,
`class_weights` and `adapting`; during it `watching` computes metrics; after it `calibration` and `thresholds` use the
validation split, and `evaluate` computes metrics beside `baselines`. No framework is imported here: a
`nnspec.backends.base.TrainingBackend` does the computing.
"""
