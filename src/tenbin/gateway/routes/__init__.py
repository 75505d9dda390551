"""The public routes, one file each."""
