"""Smaller forms of a deployed model: `writing` makes them, `scores` and `speed` compare them with float32."""
