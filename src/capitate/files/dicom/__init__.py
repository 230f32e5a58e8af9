"""DICOM films: CR, DX and single-frame secondary captures.

`dataset` parses the file, `header` checks what it announces, `codec` decodes the stored values, `tone` turns these into
grey values the way a workstation would, `facts` takes what the file says about the child. No message built here holds a
value of a patient attribute.
"""

from __future__ import annotations

from capitate.files.dicom.reading import read_dicom

__all__ = ["read_dicom"]
