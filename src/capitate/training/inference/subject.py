"""One network, or an ensemble, made ready to be measured: its files, its costs, and what it answered in float32."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

__all__ = ["Form", "Subject"]


@dataclass(frozen=True)
class Form:
    """Files in the form that a runtime takes, or why there are none.

    Attributes:
        networks: one file a network.
        description: what torch builds its networks from; empty for the other runtimes.
        impossible: why there can be no such form; empty if there is one.
        failed: why it could not be made although it should; empty if it was.
    """

    networks: tuple[str, ...] = ()
    description: str = ""
    impossible: str = ""
    failed: str = ""


@dataclass(frozen=True)
class Subject:
    """What is measured under one name.

    Attributes:
        name: of a bundle, or timm's.
        kind: `bundle` or `timm`.
        task: of the bundle's card; `bone-age` for timm's.
        height: rows of the input.
        width: columns of the input.
        views: test-time views that assessment makes of a film, of which one is measured.
        parameters: numbers that the files hold, norms folded into kernels; of a network of timm, those that are learnt.
        multiply_adds: of convolutions and products for one view, over all networks; None if the files do not tell.
        megabytes: size of the float files, 10^6 bytes; of the weights where there is no file.
        unit: of the difference between answers: `months`, or `of the largest` for a share of the largest number.
        inputs: npz file of films to measure on.
        reference: npz file of the answers to them, onnxruntime in float32, or torch where there is no file.
        plain: the float files.
        int8: the 8-bit files.
        torch: for torch.
    """

    name: str
    kind: str
    task: str
    height: int
    width: int
    views: int
    parameters: int
    multiply_adds: int | None
    megabytes: float
    unit: str
    inputs: str
    reference: str
    plain: Form
    int8: Form = field(default_factory=Form)
    torch: Form = field(default_factory=Form)

    def save(self, path: Path) -> None:
        """Write the subject for another process."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        for name in ("plain", "int8", "torch"):
            form = values.pop(name)
            values[name] = Form(networks=tuple(form.pop("networks")), **form)
        return cls(**values)
