"""How much a film may be, checked from headers before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from capitate.errors import CorruptFileError, FilmTooLargeError, NotARadiographError

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True)
class Limits:
    """What a film may announce before it is refused.

    The defaults hold a 43 cm x 43 cm detector at 0.1 mm (18 megapixels) and a 24 cm x 30 cm film scanned at 600 dpi
    (40 megapixels), and keep the peak memory of decoding one film below 1 GB.

    Attributes:
        max_bytes: largest file, bytes; also the most that a deflated DICOM data set may grow to.
        max_pixels: largest product of width and height; half of it for WebP and for 16-bit colour.
        max_side: largest width or height, pixels.
        min_side: smallest width or height that could show a hand, pixels.
    """

    max_bytes: int = 200_000_000
    max_pixels: int = 50_000_000
    max_side: int = 20_000
    min_side: int = 32

    def halved(self) -> Limits:
        """Return limits of half as many pixels, for decoders that hold a picture several times."""
        return replace(self, max_pixels=self.max_pixels // 2)

    def check_bytes(self, count: int) -> None:
        """Refuse a file of too many bytes.

        Raises:
            FilmTooLargeError: if `count` exceeds `max_bytes`.
        """
        if count > self.max_bytes:
            raise FilmTooLargeError(
                f"the file has {count:,} bytes, more than the limit of {self.max_bytes:,}; "
                "export the film as a single uncompressed or losslessly compressed frame"
            )

    def check_size(self, *, width: int, height: int) -> None:
        """Refuse a picture that is too large to decode or too small to show a hand.

        Args:
            width: columns that the header announces.
            height: rows that the header announces.

        Raises:
            CorruptFileError: if a side is not positive.
            FilmTooLargeError: if a side or the area exceeds the limits.
            NotARadiographError: if a side is below `min_side`.
        """
        if width <= 0 or height <= 0:
            raise CorruptFileError(f"the header announces {width} x {height} pixels; export the film again")
        if max(width, height) > self.max_side or width * height > self.max_pixels:
            raise FilmTooLargeError(
                f"the header announces {width:,} x {height:,} pixels, more than the limit of {self.max_side:,} a side "
                f"and {self.max_pixels / 1e6:g} megapixels; resample the film to about 0.1 mm a pixel"
            )
        if min(width, height) < self.min_side:
            raise NotARadiographError(
                f"the picture has {width} x {height} pixels, and a hand film has at least {self.min_side} a side; "
                "check that this file is the film"
            )


DEFAULT_LIMITS = Limits()
