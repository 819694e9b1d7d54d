"""Checks of networks that read step by step: what the outputs see of the steps, in which order, with which state."""
