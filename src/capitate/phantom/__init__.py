"""Procedural hand radiographs of which everything is known: joints, grades, carpal bones, side and pose.

They serve tests, the demo and the pre-training of joint models; they never enter figures about real films.
"""

from __future__ import annotations

from capitate.phantom.demo import demo_film
from capitate.phantom.drawing import draw
from capitate.phantom.film import FilmLook
from capitate.phantom.joint_drawing import DrawnJoint, draw_joint
from capitate.phantom.joint_variation import JointVariation
from capitate.phantom.pose import Pose
from capitate.phantom.reference import CARPALS, JOINTS, RUS_JOINTS, grade_count
from capitate.phantom.truth import CarpalTruth, JointTruth, Phantom

__all__ = [
    "CARPALS",
    "JOINTS",
    "RUS_JOINTS",
    "CarpalTruth",
    "DrawnJoint",
    "FilmLook",
    "JointTruth",
    "JointVariation",
    "Phantom",
    "Pose",
    "demo_film",
    "draw",
    "draw_joint",
    "grade_count",
]
