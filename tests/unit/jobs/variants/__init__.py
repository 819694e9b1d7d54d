"""Tests of the smaller forms of a deployed model."""
