"""What data look like once they are split, and what the splits share."""
