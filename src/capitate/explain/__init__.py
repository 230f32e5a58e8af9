"""What an answer rests on: activation maps, and the arithmetic that makes them of a network's last feature map.

This package works on arrays alone; `capitate.runtime` asks the networks.
"""

from __future__ import annotations

from capitate.explain.activation import ActivationMap
from capitate.explain.joined import joined

__all__ = ["ActivationMap", "joined"]
