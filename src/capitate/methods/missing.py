"""What a joint that was not graded may add, from the joints that were.

The points of Tanner and Whitehouse, and of RUS-CHN after them, were scaled so that the joints of one hand agree
(Healy MJR, Goldstein H. An approach to the scaling of categorized attributes. Biometrika 1976;63:219-229): a joint's
points over the most it can have, its *share*, estimate the maturity of the hand. So

- a missing joint's points are taken at the share of all graded joints together; at none where this is less than the
  points of a joint that has just become visible;
- its possible steps are those which keep the shares of the hand within one widest step of the table (0.22 to 0.41) of
  each other, rounded outwards to whole steps; where the graded joints spread further, those between the least and the
  most mature of them.

The rule is Capitate's own, not part of either method. With fewer joints it never leaves fewer steps possible, as long
as the shares of the graded joints lie within a widest step of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from capitate.methods.joints import Joint
from capitate.methods.tables import PointTable

__all__ = ["Gaps", "gaps"]

_TINY = 1e-9


@dataclass(frozen=True)
class Gaps:
    """The missing joints of a hand.

    Attributes:
        joints: which they are.
        steps: least and greatest possible step of each, grades or indices of stages.
        table: the points.
        graded_most: the most points that the graded joints can have together.
    """

    joints: tuple[Joint, ...]
    steps: Mapping[Joint, tuple[int, int]]
    table: PointTable
    graded_most: int

    def points(self, joint: Joint, graded: float) -> float:
        """Return what a missing joint is taken to add where the graded ones sum to `graded`."""
        listed = self.table.points[joint]
        even = graded / self.graded_most * listed[-1]
        return 0.0 if even < listed[1] else even

    def filled(self, graded: float) -> float:
        """Return the total that a sum of the graded joints stands for."""
        return graded + sum(self.points(joint, graded) for joint in self.joints)

    def least(self, graded: float) -> float:
        """Return the total with every missing joint at its least possible step."""
        return graded + sum(self.table.points[joint][self.steps[joint][0]] for joint in self.joints)

    def most(self, graded: float) -> float:
        """Return the total with every missing joint at its greatest possible step."""
        return graded + sum(self.table.points[joint][self.steps[joint][1]] for joint in self.joints)


def gaps(expected: Mapping[Joint, float], *, table: PointTable) -> Gaps:
    """Say what the joints that were not graded may add.

    Args:
        expected: points of the graded joints, at least one.
        table: the points.
    """
    joints = tuple(joint for joint in Joint if joint not in expected)
    shares = [table.share(joint, points) for joint, points in expected.items()]
    low = min(max(shares) - table.widest_step, *shares)
    high = max(min(shares) + table.widest_step, *shares)
    return Gaps(
        joints=joints,
        steps={joint: _steps(table, joint, low=low, high=high) for joint in joints},
        table=table,
        graded_most=sum(table.points[joint][-1] for joint in expected),
    )


def _steps(table: PointTable, joint: Joint, *, low: float, high: float) -> tuple[int, int]:
    """Return the steps around a range of shares, outwards."""
    shares = [table.share(joint, points) for points in table.points[joint]]
    least = max((step for step, share in enumerate(shares) if share <= low + _TINY), default=0)
    most = min((step for step, share in enumerate(shares) if share >= high - _TINY), default=len(shares) - 1)
    return least, most
