from pathlib import Path

import pytest

from capitate.errors import UnreadablePathError
from capitate.files import find, read

from . import film_makers as make


def test_folders_become_their_films_in_natural_order(tmp_path):
    for name in (
        "10.png",
        "2.PNG",
        "1.jpeg",
        "notes.txt",
        "a/3.tif",
        "a/.hidden.png",
        ".git/x.png",
        "b/4.dcm",
        "5.csv",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    names = [path.relative_to(tmp_path).as_posix() for path in find([tmp_path])]
    assert names == ["1.jpeg", "2.PNG", "10.png", "a/3.tif", "b/4.dcm"]


def test_dicom_without_an_extension_is_known_by_its_mark(tmp_path):
    for name in ("IM0001", "1.2.840.113619.2", "DICOMDIR", "README"):
        (tmp_path / name).write_bytes(b"text" if name == "README" else make.dicom())
    assert [path.name for path in find(tmp_path)] == ["1.2.840.113619.2", "IM0001"]


def test_explicit_paths_stay_as_given_and_fail_on_reading(tmp_path):
    missing = tmp_path / "missing.bin"
    assert find([missing, str(tmp_path / "x.txt")]) == [missing, tmp_path / "x.txt"]
    with pytest.raises(UnreadablePathError, match=r"missing\.bin"):
        read(missing)


def test_order_of_arguments_is_kept_and_one_path_will_do(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.png").write_bytes(b"")
    last = Path("a.png")
    assert find([tmp_path / "b", last]) == [tmp_path / "b" / "2.png", last]
    assert find("a.png") == [last]
    assert find([]) == []
