"""From the bytes of a DICOM file to grey values and facts."""

from __future__ import annotations

from capitate.errors import UnsupportedFormatError
from capitate.files.dicom.codec import decode
from capitate.files.dicom.dataset import parse
from capitate.files.dicom.facts import Facts, read_facts
from capitate.files.dicom.header import ImageHeader, read_header
from capitate.files.dicom.tone import grey_values
from capitate.files.dicom.values import Remarks, text
from capitate.files.grey import Decoded, luma
from capitate.files.limits import Limits

__all__ = ["read_dicom"]

# DICOM PS3.3 C.7.3.1.1.1: modalities that a hand film comes as. DX and CR; RG is a digitised film, OT and SC captures.
_FILM_MODALITIES = frozenset({"CR", "DX", "RG", "RF", "XA", "MG", "OT", "SC", ""})


def read_dicom(data: bytes, *, limits: Limits) -> tuple[Decoded, Facts]:
    """Decode a DICOM film and read what it says about the child.

    Raises:
        UnsupportedFormatError: if there are no pixels, several frames, or an encoding that is not read.
        CorruptFileError: if it is damaged or contradicts itself.
        FilmTooLargeError: if its header exceeds the limits.
        NotARadiographError: if it is too small, or holds nothing but padding.
    """
    dataset, syntax = parse(data, limits=limits)
    remarks = Remarks()
    modality = text(dataset, "Modality", remarks=remarks)
    if not modality or modality not in _FILM_MODALITIES:
        remarks.warn("unexpected_modality", f"The DICOM modality is {modality[:16] or 'not given'}, not CR or DX.")
    header = read_header(dataset)
    limits.check_size(width=header.columns, height=header.rows)
    stored, photometric = decode(dataset, header=header, syntax=syntax, remarks=remarks)
    if photometric.startswith("MONOCHROME"):
        pixels = grey_values(stored, dataset=dataset, header=header, remarks=remarks)
    else:
        pixels, findings = luma([stored[..., index] for index in range(3)], full=_full_scale(header, photometric))
        remarks.extend(findings)
    facts = read_facts(dataset, remarks=remarks)
    return Decoded(pixels, header.bits_stored, remarks.findings), facts


def _full_scale(header: ImageHeader, photometric: str) -> int:
    """Full scale of colour samples."""
    if photometric not in ("RGB", "PALETTE COLOR"):
        raise UnsupportedFormatError(f"DICOM colours {photometric!r} are not read; export the film as MONOCHROME2")
    return (1 << header.bits_stored) - 1
