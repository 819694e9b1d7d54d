"""What data look like once they are split, and what the splits share."""

BY_CHANCE = "rows are alike by chance, since the inputs have few different values"
