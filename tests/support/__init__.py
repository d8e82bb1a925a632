"""Helpers of tests: analytic fields, slow exact code, array libraries, random calls."""
