"""PNG, JPEG, TIFF and WebP pictures to grey values."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from capitate.errors import CorruptFileError, UnsupportedFormatError
from capitate.files.deep import is_deep, read_deep
from capitate.files.grey import Decoded, composite, luma, stretch, to_unit
from capitate.files.headers import INSPECTORS
from capitate.files.limits import Limits
from capitate.files.sniff import Format
from capitate.types import Finding, Severity

__all__ = ["decode_raster"]

# The plug-ins are called directly: `Image.open` would try every format, and warn about sizes by a global limit.
_OPENERS: dict[Format, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    Format.PNG: PngImagePlugin.PngImageFile,
    Format.JPEG: JpegImagePlugin.JpegImageFile,
    Format.TIFF: TiffImagePlugin.TiffImageFile,
    Format.WEBP: WebPImagePlugin.WebPImageFile,
}
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339  # TIFF 6.0, section 8
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_ORIENTATION = 0x0112
# Exif 2.32, 4.6.4 A, Orientation: what to do to the stored rows and columns to see the picture upright.
_UPRIGHT: dict[int, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.T,
    6: lambda stored: stored.T[:, ::-1],
    7: lambda stored: stored.T[::-1, ::-1],
    8: lambda stored: stored.T[::-1],
}


def decode_raster(data: bytes, *, kind: Format, limits: Limits) -> Decoded:
    """Decode a raster picture to grey values, orientation applied, colour profiles not.

    Raises:
        UnsupportedFormatError: if it is CMYK, LAB, animated or of several pages.
        CorruptFileError: if it is damaged.
        FilmTooLargeError: if its header exceeds the limits.
        NotARadiographError: if it is too small or not finite.
    """
    bits = 8
    if kind is Format.WEBP:
        limits = limits.halved()
    if kind in INSPECTORS:
        header = INSPECTORS[kind](data)
        limits.check_size(width=header.width, height=header.height)
        _check_frames(header.frames, kind=kind)
        bits = header.bits
    image = _open(data, kind=kind)
    limits.check_size(width=image.size[0], height=image.size[1])
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = _check_tiff(image, limits=limits)
    if is_deep(image, bits=bits):
        limits.halved().check_size(width=image.size[0], height=image.size[1])
    if image.mode in ("CMYK", "LAB", "HSV"):
        raise UnsupportedFormatError(f"a picture in {image.mode} colours is not read; export it as greyscale")
    pixels, findings = _grey(image, data=data, bits=bits)
    orientation, remarks = _orientation(image)
    if orientation in _UPRIGHT:
        pixels = _UPRIGHT[orientation](pixels)
    return Decoded(pixels, bits, (*findings, *remarks, *_profile_finding(image)))


def _open(data: bytes, *, kind: Format) -> ImageFile.ImageFile:
    """Let Pillow read the header."""
    try:
        return _OPENERS[kind](io.BytesIO(data))
    except SyntaxError as error:
        if "unknown pixel mode" in str(error):
            raise UnsupportedFormatError(
                f"the samples of this {kind.value.upper()} picture are of a kind that is not read; "
                "export it as 8-bit or 16-bit greyscale"
            ) from error
        raise


def _check_frames(frames: int, *, kind: Format) -> None:
    """Refuse what is more than one picture, since nobody knows which is meant."""
    if frames != 1:
        raise UnsupportedFormatError(
            f"the {kind.value.upper()} file has {frames} frames or pages; give a file with the one film"
        )


def _check_tiff(image: TiffImagePlugin.TiffImageFile, *, limits: Limits) -> int:
    """Check pages, tiles and sample format of a TIFF file, and return its bits a sample."""
    _check_frames(getattr(image, "n_frames", 1), kind=Format.TIFF)
    tags = image.tag_v2
    tile = (tags.get(_TILE_WIDTH, 1), tags.get(_TILE_LENGTH, 1))
    if max(tile) > limits.max_side or tile[0] * tile[1] > limits.max_pixels:
        raise CorruptFileError(f"the TIFF file announces tiles of {tile[0]} x {tile[1]} pixels; export it again")
    bits = int(tags.get(_BITS_PER_SAMPLE, (1,))[0])
    if bits == 8 and 2 in tags.get(_SAMPLE_FORMAT, (1,)):
        raise UnsupportedFormatError("signed 8-bit TIFF samples are not read; export as unsigned 8-bit or 16-bit grey")
    return bits


def _grey(image: ImageFile.ImageFile, *, data: bytes, bits: int) -> tuple[NDArray[np.float32], tuple[Finding, ...]]:
    """Decode the pixels, whatever their mode, to grey values in stored orientation (TIFF: upright, by Pillow)."""
    if is_deep(image, bits=bits):
        return _from_channels(read_deep(image, data=data), full=65535, key=image.info.get("transparency"))
    image.load()
    if image.mode.startswith("I;16"):
        return _grey16(image, bits=bits)
    if image.mode in ("F", "I"):
        pixels, findings = stretch(np.asarray(image))
        return _white_is_zero(image, pixels), findings
    if image.mode in ("1", "L", "La") and "transparency" not in image.info:
        plain = image.getchannel(0) if image.mode == "La" else image
        samples = np.asarray(plain)
        return to_unit(samples, full=1 if image.mode == "1" else 255), ()
    converted = image.convert(_plain_mode(image))
    return _from_channels([np.asarray(channel) for channel in converted.split()], full=255, key=None)


def _plain_mode(image: Image.Image) -> str:
    """The mode, of those with samples of 8 bits, that holds all that the picture says."""
    see_through = "transparency" in image.info or image.mode in ("LA", "PA", "RGBA", "RGBa")
    if image.mode in ("1", "L", "LA"):
        return "LA" if see_through else "L"
    return "RGBA" if see_through else "RGB"


def _from_channels(
    channels: list[NDArray[Any]], *, full: int, key: object
) -> tuple[NDArray[np.float32], tuple[Finding, ...]]:
    """Grey values from grey and alpha, or from red, green, blue and maybe alpha.

    Args:
        channels: two to four arrays of shape (height, width).
        full: full scale of the samples.
        key: the colour that a 16-bit PNG declares transparent, a triple, or None.
    """
    alpha = channels.pop() if len(channels) in (2, 4) else None
    if alpha is None and isinstance(key, tuple) and len(key) == 3:
        matches = np.logical_and.reduce([channel == value for channel, value in zip(channels, key, strict=True)])
        alpha = np.where(matches, 0, full).astype(channels[0].dtype)
    if len(channels) == 1:
        grey, findings = to_unit(channels[0], full=full), cast("tuple[Finding, ...]", ())
    else:
        grey, findings = luma(channels, full=full)
    if alpha is None:
        return grey, findings
    grey, remarks = composite(grey, alpha=alpha, full=full)
    return grey, (*findings, *remarks)


def _grey16(image: ImageFile.ImageFile, *, bits: int) -> tuple[NDArray[np.float32], tuple[Finding, ...]]:
    """Grey of 9 to 16 bits, kept at full depth."""
    samples = np.asarray(image)
    pixels = to_unit(samples, full=2**bits - 1)
    key = image.info.get("transparency")
    if isinstance(key, int):
        opaque = np.where(samples == key, 0, 1).astype(np.uint8)
        return composite(pixels, alpha=opaque, full=1)
    return _white_is_zero(image, pixels), ()


def _white_is_zero(image: ImageFile.ImageFile, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Invert 16-bit and float TIFF samples whose header calls 0 white; Pillow does it for the other depths."""
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    return np.float32(1) - pixels if tags.get(_PHOTOMETRIC, 1) == 0 else pixels


def _orientation(image: ImageFile.ImageFile) -> tuple[int, tuple[Finding, ...]]:
    """Orientation that still has to be applied: Pillow has applied and dropped that of TIFF files."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1, ()
    try:
        return int(image.getexif().get(_ORIENTATION, 1)), ()
    except Exception:  # damaged Exif data must not cost the film
        message = "The Exif data are damaged; the picture was read in the orientation in which it is stored."
        return 1, (Finding(code="exif_unreadable", severity=Severity.WARNING, message=message),)


def _profile_finding(image: ImageFile.ImageFile) -> tuple[Finding, ...]:
    """Remark that an embedded colour profile was not applied."""
    if not image.info.get("icc_profile"):
        return ()
    message = "The file embeds a colour profile, which is not applied: the stored grey values are what the models see."
    return (Finding(code="colour_profile_ignored", severity=Severity.INFO, message=message),)
