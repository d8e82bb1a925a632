"""Properties that hold for every operator and array library."""
