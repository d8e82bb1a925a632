"""Stencils and column windows for any array of the array API standard, by slices and sums."""
