"""What a reader measures by eye, from outlines: epiphyses and growth plates joint by joint, and the carpal bones.

There is no network in it. `measure_joint` and `measure_carpals` take outlines, the film's pixels and the named hand.
"""

from __future__ import annotations

from capitate.hand.measures.axis import BoneAxis, bone_axis, hand_length
from capitate.hand.measures.carpus import CarpalBone, CarpalMeasures, carpal_box, carpal_view, measure_carpals
from capitate.hand.measures.epiphysis import EpiphysisMeasures, epiphysis_view, measure_joint
from capitate.hand.measures.growing import without_early_unions
from capitate.hand.measures.polygons import Polygon
from capitate.hand.measures.view import OutlinePicture
from capitate.hand.measures.windows import OutlineWindow, outline_windows

__all__ = [
    "BoneAxis",
    "CarpalBone",
    "CarpalMeasures",
    "EpiphysisMeasures",
    "OutlinePicture",
    "OutlineWindow",
    "Polygon",
    "bone_axis",
    "carpal_box",
    "carpal_view",
    "epiphysis_view",
    "hand_length",
    "measure_carpals",
    "measure_joint",
    "outline_windows",
    "without_early_unions",
]
