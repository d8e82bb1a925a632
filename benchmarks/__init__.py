"""What derivatives cost, in units of a copy: ``python -m benchmarks --help``."""
