"""Arrays of any library, by slices and sums of the array API standard."""
