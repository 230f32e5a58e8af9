import io

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.explain import ActivationMap
from capitate.explain.arrays import StoredMap, npz_bytes, read_npz
from capitate.types import Box

VALUES = np.array([[1.5, -2.0], [0.0, 4.0], [0.25, 0.0]], dtype=np.float32)


def _stored(box=None):
    one = ActivationMap("bone-age", "bone_age", "months", VALUES, 100.0, 103.75, box)
    return StoredMap(one, version="1.2.0", film="ab" * 32)


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "map.npz"
    for box in (None, Box(1.0, 2.5, 30.0, 40.0)):
        path.write_bytes(npz_bytes(_stored(box)))
        read = read_npz(path)
        assert np.array_equal(read.activation.values, VALUES)
        assert (read.version, read.film, read.activation.box) == ("1.2.0", "ab" * 32, box)
        assert (read.activation.model, read.activation.quantity, read.activation.unit) == (
            "bone-age",
            "bone_age",
            "months",
        )
        assert (read.activation.base, read.activation.answer, read.activation.gap) == (100.0, 103.75, 0.0)


def test_numpy_alone_reads_it_and_the_same_map_gives_the_same_bytes():
    assert npz_bytes(_stored()) == npz_bytes(_stored())
    with np.load(io.BytesIO(npz_bytes(_stored())), allow_pickle=False) as archive:
        assert set(archive.files) == {"values", "base", "answer", "unit", "quantity", "model", "version", "film"}
        assert archive["unit"].item() == "months"
        assert float(archive["values"].sum() + archive["base"]) == float(archive["answer"])


def test_files_that_are_no_maps_are_told(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, values=VALUES, base=1.0)
    with pytest.raises(UsageError, match=r"lacks answer, unit, .* give a \.npz of assess --maps"):
        read_npz(path)
    path.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(UsageError, match="cannot be read as a map"):
        read_npz(path)
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be read as a map"):
        read_npz(path)
    with pytest.raises(UsageError, match="cannot be read as a map"):
        read_npz(tmp_path / "none.npz")
    one = _stored()
    np.savez(path, **{key: getattr(one.activation, key) for key in ("base", "answer", "quantity", "model")},
             values=VALUES, unit="days", version="1", film="0")  # fmt: skip
    with pytest.raises(UsageError, match="got 'bone_age' in 'days'"):
        read_npz(path)
    np.savez(path, **{key: getattr(one.activation, key) for key in ("base", "quantity", "model", "unit")},
             values=VALUES, answer=np.zeros(3), version="1", film="0")  # fmt: skip
    with pytest.raises(UsageError, match="is no map"):
        read_npz(path)
