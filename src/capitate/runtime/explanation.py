"""A network that can say what its answer rests on: its last feature map, its head and the base, out of its own file.

A file that explains itself has, beside its answers, the outputs `features` (films, channels, rows, columns) and
`features.base` (codes, channels), and its head's weights as outputs that depend on no input; its metadata name the
head's layers. Weights are therefore in the file once, and under its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import BundleDamagedError, NoMapError
from capitate.explain.head import Head, Layer, LayerKind
from capitate.explain.integrated import Seen
from capitate.runtime.session import Network, Session

__all__ = ["BASE", "FEATURES", "ExplainedNetwork", "explained_networks"]

FEATURES = "features"
BASE = "features.base"
_NOTHING = np.zeros(0, dtype=np.float32)


class ExplainedNetwork:
    """A network with its head read.

    Attributes:
        head: layers behind the averaged features.
        base: float32 (codes, channels), features that a map is counted from, by sex or category; one row for all.
        base_of: in words, what the base is the average of.
    """

    def __init__(self, network: Network, *, model: str) -> None:
        """Read the head out of a loaded file.

        Args:
            network: that answers.
            model: name of its bundle, for errors.

        Raises:
            NoMapError: if the file carries no features, or says why its answers cannot be shared out among cells.
            BundleDamagedError: if what it says about its head does not fit the file.
        """
        told = network.explanation if isinstance(network, Session) else None
        if told is None or not isinstance(network, Session):
            raise NoMapError(
                f"the networks of {model!r} carry no feature maps, so there is no map of what their answers rest on; "
                f"`capitate export {model} --out FOLDER` makes a bundle that has them"
            )
        if "unexplained" in told:
            raise NoMapError(f"there is no map for {model!r}: {told['unexplained']}")
        self._session, self._model = network, model
        try:
            self.base_of = str(told["base_of"])
            self.head = Head(tuple(self._layer(one) for one in told["layers"]))
            self.base = network.constants([BASE])[0]
        except (KeyError, TypeError, ValueError) as error:
            raise BundleDamagedError(
                f"the head that a network of {model!r} describes cannot be read ({error!r}); install the bundle again"
            ) from error

    def ask(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network once, for its first answer and its feature maps (films, channels, rows, columns)."""
        answer, features = self._session.outputs(inputs, [self._session.answers[0], FEATURES])
        return answer, features

    def seen(self, features: NDArray[np.float32], *, code: int = 0) -> Seen:
        """Join feature maps of one film's views with head and base.

        Args:
            features: float32 (views, channels, rows, columns).
            code: sex or category that the network was told.
        """
        return Seen(self.head, features, self.base[code if len(self.base) > 1 else 0], code)

    def _layer(self, values: Mapping[str, Any]) -> Layer:
        """Read one layer."""
        names = [values[key] for key in ("weight", "bias") if key in values]
        found = dict(zip(names, self._session.constants(names), strict=True)) if names else {}
        weight, bias = (found.get(values.get(key), _NOTHING) for key in ("weight", "bias"))
        return Layer(LayerKind(values["kind"]), weight, bias, int(values.get("groups", 1)))


def explained_networks(networks: list[Network] | list[Session], *, model: str) -> list[ExplainedNetwork]:
    """Read the heads of all networks of a bundle; errors as of `ExplainedNetwork`."""
    return [ExplainedNetwork(one, model=model) for one in networks]
