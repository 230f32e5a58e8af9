"""No bundle leaves without having been compared with torch, on films or on drawn hands."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from capitate.errors import UsageError  # noqa: E402
from capitate.phantom import draw  # noqa: E402
from capitate.training.agreement import Agreement, FilmViews, InBatches, measure_agreement  # noqa: E402
from capitate.training.bundle_folder import BundleOptions  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.export import export  # noqa: E402
from capitate.training.film_views import fitting_store  # noqa: E402
from capitate.training.locator_agreement import measure_locator  # noqa: E402
from capitate.training.locator_network import LocatorNetwork  # noqa: E402
from capitate.types import Sex  # noqa: E402

CARD = {
    "view": {"height": 4, "width": 3, "margins": [0.13, 0.17, 0.13, 0.25], "percentiles": [1.0, 99.5]},
    "test_views": [[0, 0, False], [0, 0, True]],
    "smoothing_months": 0,
    "surroundings_removed": False,
    "calibration": {"level": 0.9, "reach": {"female": [0.4] * 4}, "mature_months": {"female": 180}},
}


class Certain:
    """Answers the brightness of a view's first pixel as the age, and more where several views come at a time."""

    def __init__(self, *, more: int = 0) -> None:
        self.more = more

    def run(self, inputs):
        answers = np.zeros((len(inputs["view"]), 240), dtype=np.float32)
        for row, view in enumerate(inputs["view"]):
            answers[row, int(view[0, 0, 0]) + (self.more if len(inputs["view"]) > 1 else 0)] = 1
        return [answers]


def films(count):
    views = np.zeros((count, 2, 4, 3), dtype=np.uint8)
    views[:, :, 0, 0] = np.arange(100, 100 + count)[:, None]
    return FilmViews(views, [Sex.FEMALE] * count)


def test_the_difference_is_in_months_and_by_batch_size():
    parts = [films(3), films(2)]
    pairs = {"model.onnx": (Certain(), Certain(more=2))}
    found = measure_agreement(CARD, pairs, parts, on="five films", real=True)
    card = found.to_card(limit=0.05)
    assert card["films"] == 5
    assert card["networks"]["model.onnx"]["batch_1"] == {"largest": 0, "median": 0}
    assert card["networks"]["model.onnx"]["batch_16"] == {"largest": 2, "median": 2}
    assert (card["largest"], card["limit"], card["unit"]) == (2, 0.05, "months")
    with pytest.raises(UsageError, match=r"model.onnx differs from torch by up to 2.000 months on five films.*of 16"):
        found.check(limit=0.05)
    found.check(limit=2)
    with pytest.raises(UsageError, match="no film"):
        measure_agreement(CARD, pairs, [], on="nothing", real=True)


def test_an_answer_that_is_no_number_does_not_pass():
    with pytest.raises(UsageError, match="nan months"):
        Agreement("films", True, {"a.onnx": {1: np.array([np.nan])}}).check(limit=0.05)


def test_batches_are_put_together_in_order():
    views = films(5).views[:, 0][:, None]
    answers = InBatches(Certain(), 2).run({"view": views, "sex": np.zeros(5)})[0]
    assert answers.argmax(1).tolist() == [100, 101, 102, 103, 104]


def test_a_bundle_says_what_it_was_compared_on(runs, saved, tmp_path):
    drawn = bundle_runs(runs[:1], tmp_path / "drawn").card
    assert not drawn["agreement"]["real_films"]
    assert "drawn hands, because no film was given" in drawn["agreement"]["on"]
    assert drawn["agreement"]["largest"] < 0.05
    assert "not counted" in drawn["demographics"]["training"]
    stored = bundle_runs(runs, tmp_path / "stored", options=BundleOptions(data=saved, films=10)).card
    assert stored["agreement"]["real_films"]
    assert stored["agreement"]["films"] == 10
    assert list(stored["agreement"]["networks"]) == ["fold-0.onnx", "fold-1.onnx"]
    assert stored["demographics"]["training"]["films"] == 32
    assert sum(stored["demographics"]["training"]["by_sex"].values()) == 32


def test_a_bundle_that_answers_otherwise_is_not_written_and_the_earlier_one_stays(runs, saved, tmp_path):
    earlier = bundle_runs(runs[:1], tmp_path / "bundle", options=BundleOptions(data=saved, films=4)).sha256
    with pytest.raises(UsageError, match="--agreement-limit"):
        bundle_runs(runs[:1], tmp_path / "bundle", options=BundleOptions(data=saved, films=4, limit=-1.0))
    again = bundle_runs(runs[:1], tmp_path / "bundle", options=BundleOptions(data=saved, films=4, limit=0.5))
    assert earlier != again.sha256
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_weights_are_kept_in_the_fewest_bits_that_agree(runs, saved, tmp_path, monkeypatch):
    from capitate.training import export as exporting

    monkeypatch.setattr(exporting, "_SMALLEST", 1)
    options = BundleOptions(data=saved, films=4, limit=100.0)
    coarse = bundle_runs(runs[:1], tmp_path / "coarse", options=options).card["agreement"]
    assert coarse["weight_bits"] == 8
    options = BundleOptions(data=saved, films=4, limit=coarse["largest"] / 4)
    bundle = bundle_runs(runs[:1], tmp_path / "fine", options=options)
    assert bundle.card["agreement"]["weight_bits"] == 16
    assert bundle.card["agreement"]["largest"] <= coarse["largest"] / 4
    assert "kept in 16 bits" in (bundle.folder / "card.md").read_text()


def test_a_table_of_films_is_read_and_its_refusals_are_counted(runs, tmp_path):
    lines = ["path,sex,bone_age_months"]
    for k, name in enumerate(("a", "b", "blank")):
        pixels = draw(age_months=100, sex=Sex.MALE, height=300, seed=k).radiograph.pixels
        pixels = np.zeros_like(pixels) if name == "blank" else pixels
        Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
        lines.append(f"{name}.png,M,100")
    table = tmp_path / "films.csv"
    table.write_text("\n".join(lines) + "\n")
    card = bundle_runs(runs[:1], tmp_path / "bundle", options=BundleOptions(agreement=table)).card
    assert card["agreement"]["films"] == 2
    refused = next(one for one in card["figures"] if one["name"] == "films refused")
    assert refused["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert "films refused" in card["key_metrics"]["safety"]["results"]
    lines[1:3] = []
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match="no film to measure agreement on: 0 films of films"):
        bundle_runs(runs[:1], tmp_path / "none", options=BundleOptions(agreement=table))


def test_a_store_of_other_views_is_refused(saved):
    with pytest.raises(UsageError, match="cut by another rule"):
        fitting_store(saved, {"view": {**CARD["view"], "margins": [0, 0, 0, 0]}})
    with pytest.raises(UsageError, match="64 x 48"):
        fitting_store(saved, {"view": {**CARD["view"], "height": 160}})


def test_the_locators_file_is_compared_in_hand_lengths(saved, tmp_path):
    torch.manual_seed(0)
    network = LocatorNetwork().eval()
    path = tmp_path / "locator.onnx"
    export(network, (torch.zeros(2, 1, 112, 112),), path, inputs=("film",), outputs=("outputs",))
    found = measure_locator(network, path, None, most=3)
    assert found.unit == "hand lengths"
    assert found.all.max() < 0.01
    with pytest.raises(UsageError, match="a table of films"):
        measure_locator(network, path, saved, most=3)


@pytest.mark.films
def test_agreement_on_real_films(runs, films_root, tmp_path):
    table = films_root / "rsna-highres" / "index.csv"
    card = bundle_runs(runs[:1], tmp_path / "bundle", options=BundleOptions(agreement=table, films=4)).card
    assert card["agreement"]["real_films"]
    assert card["agreement"]["films"] == 4
    assert card["agreement"]["largest"] < 0.05
