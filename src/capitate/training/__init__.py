"""Training: manifests, views, augmentation, networks, losses, the loop, export.

Imported by the command line only.
"""
