"""Augmentation with every range and share at 0, for tests that switch one of them on."""

from __future__ import annotations

from dataclasses import fields

from capitate.training.settings.augment import AugmentConfig

NOTHING = AugmentConfig(**{one.name: type(one.default)(0) for one in fields(AugmentConfig) if one.name != "edge"})
