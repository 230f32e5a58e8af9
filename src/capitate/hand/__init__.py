"""Geometry of the hand, without models: its joints named by anatomy, its side, rotation and standard view, its outline.

`name_joints` takes the boxes of a detector; `standard_view` brings the named hand upright as a left one.
"""

from __future__ import annotations

from capitate.hand.detection import Detection
from capitate.hand.joints import BOXES_OF_A_HAND, FINGERS, RUS_JOINTS, BoneClass, Joint, bone_class_of
from capitate.hand.named import JointStatus, LeftOver, NamedHand, NamedJoint, Remark, RemarkKind
from capitate.hand.naming import name_hands, name_joints
from capitate.hand.standard import Fit, StandardHand, standard_hand

__all__ = [
    "BOXES_OF_A_HAND",
    "FINGERS",
    "RUS_JOINTS",
    "BoneClass",
    "Detection",
    "Fit",
    "Joint",
    "JointStatus",
    "LeftOver",
    "NamedHand",
    "NamedJoint",
    "Remark",
    "RemarkKind",
    "StandardHand",
    "bone_class_of",
    "name_hands",
    "name_joints",
    "standard_hand",
]
