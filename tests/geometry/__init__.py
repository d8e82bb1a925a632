"""Tests of the room `geometry`."""
