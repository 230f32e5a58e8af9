"""Data sets in the forms in which they are published and kept: found, read, converted, split."""
