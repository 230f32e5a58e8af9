"""Detectors of boxes without anchors: what the joint detector and the localiser of fractures share."""
