"""Tests of the room `stencils`."""
