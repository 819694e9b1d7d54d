"""How a file's values are read: one set of rules for checks, training and a deployed model. Standard library only."""
