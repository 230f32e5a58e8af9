"""How drawn joints of one grade differ: spreads of shape, pose and film, and the values drawn from them.

A spread of 0 gives the textbook's value, so that a drawing without any variation needs no random numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from capitate.errors import UsageError

__all__ = ["BoneShape", "JointExposure", "JointPose", "JointVariation"]


@dataclass(frozen=True)
class BoneShape:
    """The individual form of one bone's end; factors of the usual form, angles in degrees.

    Attributes:
        width: metaphyseal width.
        ratio: width of the epiphysis over that of the metaphysis.
        height: height of the epiphysis.
        gap: thickness of the growth plate.
        taper: how much the shaft narrows, exponent of its profile.
        oblique_degrees: slope of the growth plate across the bone.
        asymmetry: displacement of the epiphysis towards the thumb, half-widths.
        wave: undulation of the growth plate, shares of the half-width.
        wave_phase: where it begins, radians.
        bridge: where fusion begins, half-widths from the middle.
        cortex: thickness of the cortex.
        density: of the end plates and the zone of calcification.
    """

    width: float = 1.0
    ratio: float = 1.0
    height: float = 1.0
    gap: float = 1.0
    taper: float = 1.0
    oblique_degrees: float = 0.0
    asymmetry: float = 0.0
    wave: float = 0.0
    wave_phase: float = 0.0
    bridge: float = 0.0
    cortex: float = 1.0
    density: float = 1.0


@dataclass(frozen=True)
class JointPose:
    """How the joint lies in its crop.

    Attributes:
        rotation_degrees: clockwise turn.
        shift: (x, y) displacement, shares of the crop.
        scale: size over the usual.
        mirrored: whether it is a right hand's.
        foreshortening: length over width as seen, 1 for a bone that lies flat.
        shear: slant of rows against columns, shares.
    """

    rotation_degrees: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    mirrored: bool = False
    foreshortening: float = 1.0
    shear: float = 0.0


@dataclass(frozen=True)
class JointExposure:
    """What film and scanner make of the joint.

    Attributes:
        contrast: how fast bone saturates.
        gamma: exponent of the grey levels afterwards.
        air: grey of the film beside the hand, 0 to 1.
        range: share of the grey scale that the film uses.
        flesh: thickness of soft tissue over the usual.
        texture: strength of the trabeculae.
        blur: standard deviation of the unsharpness, shares of the crop.
        noise: standard deviation of the noise, shares of the film's own range.
        grain: size of a noise grain, pixels of the film.
        resolution: film pixels over pixels of the picture.
        compression: JPEG quality, 0 for none.
        slope: uneven illumination across the crop, (x, y), shares of the range.
        shutter: where a collimator's edge crosses, shares of the crop from one border; 0 for none.
        shutter_border: 0 left, 1 right, 2 lower border.
        shutter_grey: of the film behind it, 0 to 1.
    """

    contrast: float = 1.6
    gamma: float = 0.9
    air: float = 0.04
    range: float = 1.0
    flesh: float = 1.0
    texture: float = 1.3
    blur: float = 0.003
    noise: float = 0.0
    grain: float = 0.6
    resolution: float = 1.0
    compression: int = 0
    slope: tuple[float, float] = (0.0, 0.0)
    shutter: float = 0.0
    shutter_border: int = 0
    shutter_grey: float = 0.0


@dataclass(frozen=True)
class JointVariation:
    """Spreads that joints are drawn with; the defaults are the widest, for training. 0 leaves a value as it is.

    Attributes:
        width: standard deviation of the logarithm of the metaphyseal width.
        ratio: the same of the width ratio, of the epiphysis' height and gap at two and three times it.
        taper: the same of the shaft's narrowing.
        oblique_degrees: standard deviation of the growth plate's slope.
        asymmetry: standard deviation of the epiphysis' displacement, half-widths.
        wave: greatest undulation of the growth plate, half-widths.
        cortex: standard deviation of the logarithm of cortical thickness and of the end plates' density.
        rotation_degrees: standard deviation of the turn.
        shift: standard deviation of the displacement, shares of the crop.
        scale: standard deviation of the logarithm of the size.
        mirror: probability of a right hand.
        tilt: standard deviation of foreshortening and shear.
        neighbours_months: standard deviation of every other joint's own advance or delay.
        overlap: standard deviation of the neighbouring bones' displacement, shares of the crop.
        sesamoid: probability that the sesamoid shows at another age than the usual.
        contrast: standard deviation of the logarithms of contrast and gamma.
        exposure: strength of differences in exposure: air, range, illumination; 0 to 1.
        flesh: standard deviation of the logarithm of soft-tissue thickness.
        texture: standard deviation of the logarithm of the trabeculae's strength.
        noise: greatest noise, shares of the film's own range.
        blur: greatest unsharpness, shares of the crop.
        resolution: greatest loss of resolution: 0.65 draws films of 0.35 pixels a pixel and up.
        compression: probability of compression marks.
        shutter: probability of a collimator's edge.
    """

    width: float = 0.08
    ratio: float = 0.02
    taper: float = 0.25
    oblique_degrees: float = 3.5
    asymmetry: float = 0.05
    wave: float = 0.06
    cortex: float = 0.3
    rotation_degrees: float = 12.0
    shift: float = 0.05
    scale: float = 0.13
    mirror: float = 0.5
    tilt: float = 0.06
    neighbours_months: float = 9.0
    overlap: float = 0.02
    sesamoid: float = 0.2
    contrast: float = 0.35
    exposure: float = 1.0
    flesh: float = 0.25
    texture: float = 0.4
    noise: float = 0.04
    blur: float = 0.014
    resolution: float = 0.65
    compression: float = 0.5
    shutter: float = 0.08

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            UsageError: if a spread is negative or not finite, or a probability, exposure or resolution above 1.
        """
        shares = ("mirror", "sesamoid", "exposure", "resolution", "compression", "shutter")
        for field in fields(self):
            value, most = getattr(self, field.name), 0.95 if field.name == "resolution" else 1.0
            if not (math.isfinite(value) and value >= 0) or (field.name in shares and value > most):
                upper = f" to {most:g}" if field.name in shares else " and finite"
                raise UsageError(f"variation's {field.name} must be 0 or more{upper}, got {value!r}; correct it")

    @classmethod
    def none(cls) -> JointVariation:
        """Return no variation at all: the textbook."""
        return cls(**{field.name: 0.0 for field in fields(cls)})

    def draw_shape(self, rng: np.random.Generator) -> BoneShape:
        """Draw one bone's form."""
        z = np.clip(rng.standard_normal(10), -2.5, 2.5).tolist()
        return BoneShape(
            width=math.exp(self.width * z[0]),
            ratio=math.exp(self.ratio * z[1]),
            height=math.exp(2 * self.ratio * z[2] + self.width * z[0] / 2),
            gap=math.exp(3 * self.ratio * z[3]),
            taper=math.exp(self.taper * z[4]),
            oblique_degrees=self.oblique_degrees * z[5],
            asymmetry=self.asymmetry * z[6],
            wave=self.wave * rng.random(),
            wave_phase=rng.random() * 2 * math.pi,
            bridge=3 * self.asymmetry * z[7],
            cortex=math.exp(self.cortex * z[8]),
            density=math.exp(self.cortex * z[9]),
        )

    def draw_pose(self, rng: np.random.Generator) -> JointPose:
        """Draw how the joint lies."""
        z = np.clip(rng.standard_normal(6), -2.5, 2.5).tolist()
        return JointPose(
            rotation_degrees=self.rotation_degrees * z[0],
            shift=(self.shift * z[1], self.shift * z[2]),
            scale=math.exp(self.scale * z[3]),
            mirrored=bool(rng.random() < self.mirror),
            foreshortening=math.exp(self.tilt * z[4]),
            shear=self.tilt * z[5],
        )

    def draw_exposure(self, rng: np.random.Generator) -> JointExposure:
        """Draw what film and scanner make of the joint."""
        usual = JointExposure()
        z = np.clip(rng.standard_normal(6), -2.5, 2.5).tolist()
        u = rng.random(10).tolist()
        # Films that use little of the grey scale are stored well, or nothing could be seen on them.
        used = (1 - self.exposure) + self.exposure * 0.06 ** (u[1] ** 2)
        quality = int(92 - (52 if used > 0.4 else 10) * u[6] ** 2)
        return JointExposure(
            contrast=usual.contrast * math.exp(self.contrast * z[0]),
            gamma=usual.gamma * math.exp(self.contrast * z[1]),
            air=usual.air + self.exposure * 0.2 * u[0] ** 3,
            range=used,
            flesh=usual.flesh * math.exp(self.flesh * z[2]),
            texture=usual.texture * math.exp(self.texture * z[3]),
            blur=usual.blur + self.blur * u[2] ** 3,
            noise=self.noise * u[3] ** 3,
            grain=usual.grain + 0.6 * u[4] * (self.noise > 0),
            resolution=1 - self.resolution * u[5],
            compression=quality if rng.random() < self.compression else 0,
            slope=(self.exposure * 0.08 * z[4], self.exposure * 0.08 * z[5]),
            shutter=0.05 + 0.15 * u[7] if rng.random() < self.shutter else 0.0,
            shutter_border=int(3 * u[8]),
            shutter_grey=1.0 if u[9] > 0.7 else 0.0,
        )
