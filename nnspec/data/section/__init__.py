"""The `data` section: its JSON Schema, the section as plain values with places, and how it agrees with a model."""
