"""Reading of films: bytes in, one `Radiograph` out, or a typed error that says why not.

PNG, JPEG, TIFF and WebP go through Pillow, DICOM through pydicom and, where compressed, python-gdcm. The format follows
from the first bytes, never from the file's name. Sizes are checked from headers before pixels are decoded, and nothing
is ever half read: a truncated film is an error. Embedded colour profiles are not applied. `docs/reading.md` has the
details.
"""

from __future__ import annotations

from capitate.files.finding import find
from capitate.files.limits import Limits
from capitate.files.reading import read

__all__ = ["Limits", "find", "read"]
