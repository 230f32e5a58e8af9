"""Evaluation of a localiser of fractures against labelled boxes."""
