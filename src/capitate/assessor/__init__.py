"""From a film to an assessment: models, geometry and tables are brought together here and nowhere else.

`assessing` is the page to read first. `request` is what the caller knows, `bone_age` and `joint_reader` are the two
readings of a film, `scores` what follows from the grades, `rescoring` what follows from a reader's corrections.
"""

from capitate.assessor.assessing import Assessed, Assessor, assess
from capitate.assessor.hand_on_film import NO_HAND, UNCERTAIN_HAND
from capitate.assessor.joint_models import JointModels, chosen_models
from capitate.assessor.joint_reader import JointReader
from capitate.assessor.refusing import refusal, with_findings
from capitate.assessor.request import Request
from capitate.assessor.screen_reader import ScreenModels, ScreenReader, chosen_screens

__all__ = [
    "NO_HAND",
    "UNCERTAIN_HAND",
    "Assessed",
    "Assessor",
    "JointModels",
    "JointReader",
    "Request",
    "ScreenModels",
    "ScreenReader",
    "assess",
    "chosen_models",
    "chosen_screens",
    "refusal",
    "with_findings",
]
