"""The steps; what stands in one is never changed after a release."""
