"""Outlines of epiphyses and carpal bones: masks, crops, network, losses, task and bundle."""
