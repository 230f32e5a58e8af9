import builtins
import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capitate.assessment import NOTICE, ModelReference, Source
from capitate.errors import MissingExtraError, UsageError
from capitate.radiograph import Radiograph
from capitate.report import to_pdf, write
from capitate.report.wording import words
from capitate.types import Finding, Severity, Sex

from .examples import DIGEST, MATURE, NORMAL, REFUSED, UNKNOWN_SEX, UNREADABLE, WARNED, WRITTEN
from .joint_examples import assessed, corrected, drawn, without
from .map_examples import age_map, screen_map

pytest.importorskip("reportlab", reason="PDF reports need capitate[report]")

from capitate.report import pdf_fonts

A4 = (595.276, 841.89)
STRANGE_NAMES = {
    "long": "x" * 296 + ".png",
    "long_chinese": "骨" * 300,
    "markup": '"><b>&amp;</para><font name="none">]]>{}%\\().png',
    "control": "a\x00b\x1b[31m\r\n\tc\x7f.png",
    "surrogate": "f\udcff\ud800.png",
    "scripts": "Ωж א ع ไทย हिन्दी 한글 がな 😀 𝔸 ﷽ e\u0301.png",
    "directions": "\u202egnp.exe\u202c\u200b\ufeff\u2028.png",
    "empty": "",
}


@pytest.fixture
def tool(peer):
    """Runs one of poppler's programs over a PDF; returns what it says."""

    def run(program, content, *options):
        ran = subprocess.run([peer(program), *options, "-", "-"], input=content, capture_output=True, check=True)
        assert not ran.stderr, ran.stderr
        return ran.stdout

    return run


@pytest.fixture
def text(tool):
    """Returns the text of a PDF, its lines joined."""
    return lambda content: re.sub(r"\s+", " ", tool("pdftotext", content, "-layout", "-enc", "UTF-8").decode())


@pytest.fixture
def sheets(tool, peer):
    """Returns the sheets of a PDF as grey pictures, uint8."""

    def rendered(content, dpi=100):
        pgm = subprocess.run(
            [peer("pdftoppm"), "-gray", "-r", str(dpi), "-"], input=content, capture_output=True, check=True
        ).stdout
        pictures, stream = [], io.BytesIO(pgm)
        while stream.tell() < len(pgm):
            with Image.open(stream) as picture:
                pictures.append(np.asarray(picture))
        return pictures

    return rendered


def pages(content):
    return len(re.findall(rb"/Type /Page\b(?!s)", content))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_example_is_one_sheet_of_a4(example, lang, radiograph):
    content = to_pdf(example, radiograph=radiograph, lang=lang, written=WRITTEN)
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert pages(content) == 1
    (box,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", content)
    assert [float(side) for side in box] == pytest.approx(A4, abs=0.01)


@pytest.mark.peer
def test_without_its_film_a_report_says_so(example, text):
    assert "The film's picture is not part of this page." in text(to_pdf(example))


def test_a_hand_with_joints_and_maps_is_one_sheet():
    phantom = drawn()
    read = assessed(phantom)
    for lang in ("en", "zh"):
        maps = {"bone_age": age_map(read, phantom.radiograph), "abnormality": screen_map()}
        assert pages(to_pdf(read, radiograph=phantom.radiograph, maps=maps, lang=lang, written=WRITTEN)) == 1


@pytest.mark.peer
def test_what_a_normal_report_says(radiograph, text):
    told = text(to_pdf(NORMAL, radiograph=radiograph, written=WRITTEN))
    for said in (
        "Bone age report",
        "film film.png",
        "10 years 6 months",
        "(126.5 months)",
        "90 % interval 9 years 1 months to 11 years 10 months",
        "female (as given)",
        "Greulich-Pyle, as RSNA's readers used it",
        "chronological age 9 years 10 months",
        "2025-03-04 09:30 UTC",
        "bone-age-default",
        "ab" * 32,
        "research only (LICENSE-WEIGHTS.md)",
        DIGEST,
        "3° clockwise",
        "400 × 500 pixels, 8 bit, PNG",
        "Joints were not assessed",
        "No warnings.",
        NOTICE,
    ):
        assert said in told
    assert "written" not in text(to_pdf(NORMAL))


@pytest.mark.peer
def test_joints_scores_and_maps_are_said(text):
    phantom = drawn()
    read = corrected(without(assessed(phantom), "MCPFifth"), "Radius", 9)
    told = text(to_pdf(read, radiograph=phantom.radiograph, maps={"bone_age": age_map(read, phantom.radiograph)}))
    for said in (
        "RUS-CHN about",
        "TW3-RUS about",
        "MCP III",
        "second metacarpal",
        "box found",
        "missing, expected here",
    ):
        assert said in told
    assert re.search(r"Not found on the film, which widens the score's interval: fifth metacarpal\.", told)
    assert re.search(r"Radius: set by Dr Li; machine grade \d+, 80 %", told)
    assert "What raises the age most" in told
    assert "It is no finding." in told


@pytest.mark.peer
def test_chinese_text_can_be_taken_out_again(text):
    phantom = drawn()
    told = text(to_pdf(assessed(phantom), radiograph=phantom.radiograph, lang="zh")).replace(" ", "")
    for said in (
        "骨龄报告",
        "研究软件，非医疗器械，不得用于诊断或治疗决策。",
        "10岁6个月",
        "实足年龄9岁10个月",
        "第三掌骨骨骺",
        "性别：女。",
    ):
        assert said in told


@pytest.mark.peer
def test_chinese_glyphs_are_drawn_and_are_no_empty_boxes(sheets, tool):
    """Rendered, the title's characters hold ink inside, differ from each other, and from what no font has."""
    content = to_pdf(NORMAL, lang="zh")
    dpi, (page,) = 300, sheets(content, dpi=300)
    boxes = re.findall(
        r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">骨龄报告<',
        tool("pdftotext", content, "-bbox").decode(),
    )
    left, top, right, bottom = (float(at) * dpi / 72 for at in boxes[0])
    width = (right - left) / 4
    glyphs = []
    for index in range(4):
        cell = page[int(top) : int(bottom) + 1, int(left + index * width) : int(left + (index + 1) * width)] < 128
        ink = cell[np.ix_(cell.any(1), cell.any(0))]
        rows, columns = ink.shape
        inner = ink[rows // 5 : -(rows // 5), columns // 5 : -(columns // 5)]
        assert min(rows, columns) > 0.5 * width, "no glyph is drawn"
        assert inner.mean() > 0.1, "an empty box has no ink inside"
        glyphs.append(np.asarray(Image.fromarray(ink).resize((32, 32))))
    for one in range(4):
        for other in range(one):
            assert (glyphs[one] != glyphs[other]).mean() > 0.1, "all characters look the same"


@pytest.mark.peer
def test_fonts_of_chinese_are_embedded_as_a_subset_where_found(tool, peer):
    if pdf_fonts.faces(pdf_fonts.font_folders()).chinese_glyphs is None:
        pytest.skip("Droid Sans Fallback is not installed")
    content = to_pdf(NORMAL, lang="zh")
    told = subprocess.run([peer("pdffonts"), "-"], input=content, capture_output=True, check=True, text=False).stdout
    assert re.search(rb"[A-Z]{6}\+DroidSansFallback.* yes yes yes", told)
    assert len(content) < 200_000


def test_without_a_font_file_chinese_is_set_by_name(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf_fonts, "font_folders", lambda: (tmp_path,))
    content = to_pdf(replace(NORMAL, source=Source("骨龄 Ωж.png", None)), lang="zh")
    assert b"STSong-Light" in content
    assert b"DroidSansFallback" not in content
    assert pages(content) == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_same_arguments_give_the_same_bytes(lang):
    phantom = drawn()
    read = assessed(phantom)
    maps = {"bone_age": age_map(read, phantom.radiograph)}
    first, again = (
        to_pdf(read, radiograph=phantom.radiograph, maps=maps, lang=lang, written=WRITTEN) for _ in range(2)
    )
    assert first == again
    assert to_pdf(replace(read, models=()), radiograph=phantom.radiograph, lang=lang, written=WRITTEN) != first


def test_another_process_writes_the_same_bytes():
    script = (
        "import sys; from tests.report.examples import NORMAL, hand_picture; from capitate.report import to_pdf;"
        "sys.stdout.buffer.write(to_pdf(NORMAL, radiograph=hand_picture(), lang='zh'))"
    )
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=root)
    from .examples import hand_picture

    assert ran.stdout == to_pdf(NORMAL, radiograph=hand_picture(), lang="zh")


@pytest.mark.parametrize("name", STRANGE_NAMES.values(), ids=STRANGE_NAMES.keys())
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_film_may_have_any_name(name, lang, radiograph):
    for assessment in (NORMAL, REFUSED):
        source = replace(assessment.source, name=name)
        assert pages(to_pdf(replace(assessment, source=source), radiograph=radiograph, lang=lang)) == 1


@pytest.mark.peer
def test_a_long_name_is_elided_at_the_head_and_whole_below(text):
    name = "".join(f"part{number:03d}-" for number in range(37)) + ".png"
    told = text(to_pdf(replace(NORMAL, source=Source(name, DIGEST))))
    assert re.search(r"film part000-\S*…\S*part036-\.png", told)
    assert name in told.replace(" ", "")


@pytest.mark.peer
def test_what_no_font_has_is_a_question_mark(text):
    assert "film a?b.png" in text(to_pdf(replace(NORMAL, source=Source("a\U0001f9b4b.png", DIGEST))))


@pytest.mark.parametrize(
    "harm", ["<b>&", "W" * 900, "骨 " * 400, "\x00\x1b" * 20], ids=["markup", "word", "zh", "control"]
)
def test_words_that_strangers_wrote_never_break_a_report(harm, radiograph):
    findings = tuple(Finding("harm", severity, harm) for severity in (Severity.WARNING, Severity.INFO))
    models = (ModelReference(name=harm[:300], version=harm[:300], sha256="ab" * 32, licence=harm[:200]),)
    read = corrected(assessed(drawn()), "Radius", 9, reader=harm)
    harmed = replace(read, quality=replace(read.quality, findings=findings), notice=harm, models=models)
    assert pages(to_pdf(harmed, radiograph=radiograph)) in (1, 2)
    refused = replace(REFUSED, error=replace(REFUSED.error, message=harm, code=harm))
    assert pages(to_pdf(refused, radiograph=radiograph, lang="zh")) in (1, 2)


@pytest.mark.peer
def test_findings_go_on_overleaf(text):
    many = tuple(Finding(f"finding_{n}", Severity.WARNING, f"Finding number {n} of many.") for n in range(75))
    content = to_pdf(replace(NORMAL, quality=replace(NORMAL.quality, findings=many)), written=WRITTEN)
    told = text(content)
    assert pages(content) == 2
    assert told.count(NOTICE) == 2, "each sheet has the notice"
    assert told.count("film film.png") == 2, "each sheet says which film"
    assert all(f"Finding number {n} of many." in told for n in range(75))


@pytest.mark.peer
def test_refused_mature_and_unknown_sex(text, radiograph):
    refused = text(to_pdf(REFUSED, radiograph=radiograph))
    assert "This film was not assessed" in refused
    assert refused.count("The film is blank: all pixels are 0; send a hand radiograph.") == 1
    assert "not_a_radiograph" in refused
    assert "age, years" not in refused
    assert "There is no file 'a/gone.png'" in text(to_pdf(UNREADABLE))
    mature = text(to_pdf(MATURE))
    assert "mature" in mature
    assert "a lower bound" in mature
    unknown = text(to_pdf(UNKNOWN_SEX))
    assert "The sex is not known." in unknown
    assert re.search(r"if male 11 years 1 months \(133.3 months\)", unknown)
    assert "The file states <male>, female was given & used. (sex_contradicted)" in text(to_pdf(WARNED))


def test_the_file_s_own_facts_name_no_person():
    content = to_pdf(replace(NORMAL, source=Source("Smith_Anna.png", DIGEST)), lang="en")
    assert b"/Title (Bone age report)" in content
    assert f"/Subject (film file, sha256 {DIGEST})".encode() in content
    assert b"/Lang (en)" in content
    assert b"/Lang (zh-Hans)" in to_pdf(NORMAL, lang="zh")
    assert b"Smith" not in content


@pytest.mark.peer
def test_it_prints_in_grey(sheets):
    """Nothing of the age scale is told by colour: point, interval and paper are three greys."""
    (page,) = sheets(to_pdf(NORMAL, lang="en"), dpi=150)
    row = next(line for line in page[150:700] if ((line > 170) & (line < 205)).sum() > 60)
    assert row.min() < 40
    assert row.max() == 255


@pytest.mark.peer
def test_film_is_printed_with_its_boxes(sheets):
    phantom = drawn()
    read = assessed(phantom)
    plain = replace(read, joints=None, carpals=None, methods=None, hand=None)
    (drawn_on,), (alone,) = (sheets(to_pdf(one, radiograph=phantom.radiograph)) for one in (read, plain))
    assert (drawn_on[150:400, 60:300].astype(int) - alone[150:400, 60:300]).any()


@pytest.mark.parametrize("shape", [(3000, 40), (40, 3000), (1, 1)])
def test_films_of_any_shape_fit(shape):
    film = Radiograph(pixels=np.full(shape, 0.5, np.float32), name="film.png", sha256=DIGEST)
    assert pages(to_pdf(NORMAL, radiograph=film)) == 1


def test_another_language_is_a_usage_error():
    with pytest.raises(UsageError, match="got 'fr'"):
        to_pdf(NORMAL, lang="fr")


def test_without_reportlab_the_extra_is_named(monkeypatch, tmp_path):
    actual = builtins.__import__

    def absent(name, *rest, **more):
        if name.partition(".")[0] == "reportlab":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return actual(name, *rest, **more)

    for name in [one for one in sys.modules if one.startswith("capitate.report.pdf_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match=r"A PDF report needs .* pip install 'capitate\[report\]'"):
        to_pdf(NORMAL)
    with pytest.raises(MissingExtraError):
        write(NORMAL, tmp_path / "out", formats=["json", "pdf"])
    assert not (tmp_path / "out").exists()
    assert write(NORMAL, tmp_path), "other reports are written as before"


def test_pdfs_are_written_where_asked_for_and_know_their_film(tmp_path):
    paths = write(NORMAL, tmp_path, formats=["json", "pdf"], written=WRITTEN)
    assert [path.name for path in paths] == ["film.json", "film.pdf"]
    assert paths[1].read_bytes() == to_pdf(NORMAL, written=WRITTEN)
    mine = [write(NORMAL, tmp_path, formats=["pdf"])[0].name for _ in range(2)]
    assert mine == ["film.pdf", "film.pdf"]
    other = replace(NORMAL, source=Source(f"film /Keywords (capitate-film {DIGEST}).png", "b" * 64))
    assert write(replace(other, source=Source("film.png", "b" * 64)), tmp_path, formats=["pdf"])[0].name == (
        "film-bbbbbbbb.pdf"
    )
    assert f"/Keywords (capitate-film {'b' * 64})".encode() in to_pdf(other)
    (tmp_path / "blank.pdf").write_bytes(b"%PDF- of someone else")
    assert write(REFUSED, tmp_path, formats=["pdf"])[0].name == "blank-00000000.pdf"


def test_pdf_is_not_written_unless_asked_for(tmp_path):
    write(NORMAL, tmp_path)
    assert not list(tmp_path.glob("*.pdf"))


def test_words_are_those_of_the_other_reports():
    source = "".join(path.read_text(encoding="utf-8") for path in Path(pdf_fonts.__file__).parent.glob("pdf*.py"))
    assert not re.search("[\u4e00-\u9fff]", source), "Chinese stands in the modules of words alone"
    assert words("zh")["title"] not in source


def test_reports_written_at_once_are_each_their_own(radiograph):
    from concurrent.futures import ThreadPoolExecutor

    wanted = [
        (NORMAL, "zh"),
        (REFUSED, "en"),
        (WARNED, "en"),
        (replace(NORMAL, subject=replace(NORMAL.subject, sex=Sex.MALE)), "zh"),
    ]
    alone = [to_pdf(one, lang=lang) for one, lang in wanted]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda told: to_pdf(told[0], lang=told[1]), wanted)) == alone
