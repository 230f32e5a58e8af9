"""`capitate evaluate --task maps` and `capitate explain` on drawn spots and a screen that is known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from reading_screen import screen_bundle, spot_film

pytest.importorskip("onnx")

from capitate.cli import main
from capitate.explain.arrays import read_npz

SPOTS = ((80, 32), (16, 96), (64, 64))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three films with their spots' boxes, and the screen."""
    place = tmp_path_factory.mktemp("maps")
    (place / "films").mkdir()
    lines = ["file,class,x_center,y_center,width,height"]
    for across, down in SPOTS:
        name = f"spot{across}.png"
        lines.append(
            f"{name},fracture," + ",".join(map(str, spot_film(place / "films" / name, across=across, down=down)))
        )
    (place / "boxes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    screen_bundle(place / "screen")
    return place


def called(*words: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return int(end.value.code or 0)


def test_peaks_on_the_spots_win_the_pointing_game(folder, tmp_path, capsys):
    words = ("--boxes", folder / "boxes.csv", "--randomise", 2, "--out", tmp_path, "--quiet", "--threads", 1)
    assert called("evaluate", folder / "films", "--task", "maps", "--model", folder / "screen", *words) == 0
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert told["pointing"]["value"] == 1
    assert told["by_area"]["value"] == pytest.approx(1 / 64, rel=0.01)
    assert told["by_centre"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert told["n_randomised"]["value"] == 2
    assert told["spearman_head"]["value"] < 0
    assert told["run"]["models"][0]["name"] == "reading-screen"
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        assert [row["hit"] for row in csv.DictReader(stream)] == ["1", "1", "1"]
    assert "pointing" in capsys.readouterr().out
    assert "<h2>The peak and the annotated boxes</h2>" in (tmp_path / "report.html").read_text()


def test_boxes_of_other_films_are_told(folder, tmp_path, capsys):
    (tmp_path / "other.csv").write_text(
        "id,class,x_center,y_center,width,height\nx,a,0.5,0.5,0.1,0.1\n", encoding="utf-8"
    )
    words = ("--boxes", tmp_path / "other.csv", "--model", folder / "screen", "--out", tmp_path / "out")
    assert called("evaluate", folder / "films", "--task", "maps", *words) == 2
    assert "none of the 1 films with boxes is among the 3 films" in capsys.readouterr().err


def test_options_of_maps_belong_to_maps(folder, tmp_path, capsys):
    assert called("evaluate", folder / "films", "--randomise", 3, "--out", tmp_path) == 2
    assert "--randomise has no meaning for --task bone-age; it belongs to --task maps" in capsys.readouterr().err


def test_a_screen_of_one_network_is_not_measured_out_of_fold(folder, tmp_path, capsys):
    words = ("--model", folder / "screen", "--out-of-fold", "--out", tmp_path / "out")
    assert called("evaluate", folder / "films", "--task", "maps", *words) == 2
    told = capsys.readouterr().err
    assert "out of fold needs a bundle with a network for each fold, got 'reading-screen' with 1" in told


@pytest.mark.parametrize("method", ["activation", "occlusion", "lime"])
def test_methods_agree_on_the_spot(folder, tmp_path, method, capsys):
    film = folder / "films" / "spot80.png"
    words = ("--method", method, "--samples", 150, "--cells", 8, "--out", tmp_path)
    assert called("explain", film, "--model", folder / "screen", *words) == 0
    stored = read_npz(tmp_path / f"spot80-{method}.npz")
    values = stored.activation.at(128, 128)
    spot, rest = values[32:48, 80:96].copy(), values.copy()
    rest[30:50, 78:98] = 0
    assert spot.mean() > 3 * abs(rest.mean())
    assert stored.activation.gap == pytest.approx(0, abs=0.01)
    assert (tmp_path / f"spot80-{method}.png").stat().st_size > 0
    assert "reading-screen" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["gradient", "smoothgrad", "grad-cam"])
def test_bundles_have_no_gradients(folder, tmp_path, method, capsys):
    film = folder / "films" / "spot80.png"
    assert called("explain", film, "--model", folder / "screen", "--method", method, "--out", tmp_path) == 2
    assert "bundles only answer" in capsys.readouterr().err
