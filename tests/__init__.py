"""The tests of xgradient: a file per module."""
