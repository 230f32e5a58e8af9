"""The joint detector: labels, pictures, targets, network, losses, task and bundle."""
