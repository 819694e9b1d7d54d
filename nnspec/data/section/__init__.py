"""The `data` section: its JSON Schema, the parsed plan with spans, and its agreement with the model."""
