"""What runs trials: `local` in processes of this machine, `cluster` on a Ray cluster. Both run the same function."""
