"""Films made of numbers: a smooth hand-like picture, and writers whose stored values the tests know."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

HEIGHT, WIDTH = 64, 48


def film8(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Five bright stripes on a dark gradient, uint8, using 0 and 255."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = 40 + 60 * rows / height + 120 * (np.sin(columns / width * 5 * np.pi) ** 2)
    picture = picture.round().astype(np.uint8)
    picture[0, 0], picture[0, 1] = 0, 255
    return picture


def film16(bits: int = 16, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A film that uses all of `bits`, low bits included, uint16."""
    ramp = np.linspace(0, 2**bits - 1, height * width).round().astype(np.uint16)
    return ramp.reshape(height, width)


def saved(array: np.ndarray, format: str, *, mode: str | None = None, **options: Any) -> bytes:
    """Encode an array with Pillow."""
    image = Image.fromarray(array)
    if mode:
        image = image.convert(mode)
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """One PNG chunk with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(samples: np.ndarray, *, filters: bool = True, extra: bytes = b"") -> bytes:
    """Encode uint8 or uint16 samples of shape (h, w) or (h, w, 2 to 4) as PNG, with the `Sub` and `Up` filters in turn.

    Pillow cannot write 16-bit colour, so this is the independent writer that the reader is checked against.
    """
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = np.ascontiguousarray(samples.astype(samples.dtype.newbyteorder(">"))).view(np.uint8).reshape(height, -1)
    step = channels * samples.dtype.itemsize
    lines = []
    for index, row in enumerate(rows):
        if filters and index % 3 == 1:
            shifted = np.concatenate([np.zeros(step, np.uint8), row[:-step]])
            lines.append(b"\x01" + (row - shifted).tobytes())
        elif filters and index % 3 == 2:
            lines.append(b"\x02" + (row - rows[index - 1]).tobytes())
        else:
            lines.append(b"\x00" + row.tobytes())
    header = struct.pack(">IIBBBBB", width, height, 8 * samples.dtype.itemsize, colour, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(b"".join(lines)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + body + png_chunk(b"IEND", b"")


def dataset(stored: np.ndarray | None = None, *, bits: int | None = None, **attributes: Any) -> Dataset:
    """A minimal CR data set around stored values; attributes by keyword override it, None removes one."""
    stored = film16(12) if stored is None else stored
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID = ComputedRadiographyImageStorage
    film.SOPInstanceUID = generate_uid(entropy_srcs=["film"])
    film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID
    film.Modality = "CR"
    film.PatientName = "Secret^Name"
    film.Rows, film.Columns = stored.shape[:2]
    film.SamplesPerPixel = 1 if stored.ndim == 2 else 3
    film.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    if stored.ndim == 3:
        film.PlanarConfiguration = 0
    film.BitsAllocated = 8 * stored.dtype.itemsize
    film.BitsStored = bits or {1: 8, 2: 12}[stored.dtype.itemsize]
    film.HighBit = film.BitsStored - 1
    film.PixelRepresentation = int(stored.dtype.kind == "i")
    film.add_new(0x7FE00010, "OW" if stored.dtype.itemsize == 2 else "OB", stored.tobytes())
    for keyword, value in attributes.items():
        if value is None:
            delattr(film, keyword)
        else:
            setattr(film, keyword, value)
    return film


def dicom(stored: np.ndarray | None = None, *, syntax: str = ExplicitVRLittleEndian, **attributes: Any) -> bytes:
    """The bytes of `dataset` as a DICOM file."""
    return written(dataset(stored, **attributes), syntax=syntax)


def written(film: Dataset, *, syntax: str = ExplicitVRLittleEndian, **options: Any) -> bytes:
    """Write a data set as a DICOM file, whatever it holds."""
    film.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    dcmwrite(stream, film, **{"enforce_file_format": True, **options})
    return stream.getvalue()


def unit(array: np.ndarray, full: int) -> np.ndarray:
    """The grey values that integers of that full scale stand for."""
    return array.astype(np.float32) / np.float32(full)
