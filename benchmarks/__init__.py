"""Measure the cost of derivatives, in units of a copy: ``python -m benchmarks --help``."""
