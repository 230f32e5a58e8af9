"""The nine joint categories of RUS-CHN that share a grader, and their numbers of grades."""

from __future__ import annotations

__all__ = ["CATEGORIES", "FINGERS", "JOINTS", "MOST_GRADES", "category_of"]

FINGERS = ("First", "Second", "Third", "Fourth", "Fifth")

JOINTS = (
    "Radius", "Ulna", "MCPFirst", "MCPThird", "MCPFifth", "PIPFirst", "PIPThird", "PIPFifth",
    "MIPThird", "MIPFifth", "DIPFirst", "DIPThird", "DIPFifth",
)  # fmt: skip
"""The joints of RUS-CHN."""

CATEGORIES = {
    "Radius": 14, "Ulna": 12, "MCPFirst": 11, "MCP": 10, "PIPFirst": 12, "PIP": 12, "MIP": 12, "DIPFirst": 11,
    "DIP": 11,
}  # fmt: skip
"""Categories that share a grader, with their number of grades: the lengths of the score tables of RUS-CHN."""

MOST_GRADES = max(CATEGORIES.values())
"""Of any category; grade 0, not yet visible, comes on top."""


def category_of(joint: str) -> str:
    """Return the category whose grader a joint shares, as `MCPThird` and `MCP`; a name of no category as it is."""
    if joint in CATEGORIES:
        return joint
    return joint[:3] if joint[:3] in CATEGORIES and joint[3:] in FINGERS else joint
