"""Training: manifests, views, augmentation, networks, losses, the loop and export. Imported by the command line only."""
