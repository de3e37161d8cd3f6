"""The page of all claims: whole, self-contained, and safe whatever the texts are."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from fakes import HALF, TOO_LARGE, claim, install
from matplotlib.figure import Figure

from meanfield_pde.errors import InputError
from meanfield_pde.report import page, write_report
from meanfield_pde.report.pictures import picture
from meanfield_pde.results.evidence import Number
from meanfield_pde.studies import evidence as studied
from meanfield_pde.studies.evidence import gather

VOID = {"meta", "img", "mspace"}

HOSTILE = "\"'><script>alert(1)</script><img src=https://example.org/x onerror=alert(1)>&amp;"


def silent(done):
    pass


class Outline(HTMLParser):
    """Tags, ids and text; raises if tags are not closed in order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.links, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        assert not any(name.startswith("on") for name in found)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found[name] for name in ("href", "src") if name in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline(text):
    found = Outline()
    found.feed(text)
    found.close()
    assert found.open == []
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two claims measured, one that holds and one that does not, and one not measured."""
    all_claims = [claim("one"), claim("two", HALF, TOO_LARGE), claim("three")]
    install(monkeypatch, *all_claims)
    for one in all_claims[:2]:
        gather(one, True, tmp_path, silent)
    return tmp_path


def test_the_page_tells_all(folder):
    path, found = write_report(folder, studied.chosen(()))
    assert path == folder / "report.html"
    assert list(found) == ["one", "two"]
    text = path.read_text(encoding="utf-8")
    shown = outline(text)
    words = " ".join("".join(shown.text).split())
    assert "1 of 2 measured claims hold; 1 not measured; all measured in smaller sizes." in words
    assert "0.50002 ± 0.00043" in words
    assert "expected: 0.5" in words
    assert "−2.500 ± 0.031" in words
    assert "less than −3" in words
    assert "✗ 1 of 2 numbers are off" in words
    assert f"claim three --output {folder}" in words
    assert f"claim one --quick --output {folder}" in words
    assert "about 4 min; with --quick about 30 s" in words
    assert "One sees it. It is a half. Not at 0." in words
    assert "numpy " + np.__version__ in words
    assert "the sources have changed" not in words
    assert "older sources" not in words


def test_a_claim_of_which_nothing_is_judged_does_not_hold(tmp_path, monkeypatch):
    one = claim("one", Number("told only", 1.0, 0.1))
    install(monkeypatch, one)
    made = gather(one, True, tmp_path, silent)
    shown = outline(page([one], {"one": made}, tmp_path))
    words = " ".join("".join(shown.text).split())
    assert "0 of 1 measured claims hold" in words
    assert words.count("nothing judged") == 2
    assert "✗ nothing judged" not in words


def test_the_page_stands_alone_and_is_well_formed(folder):
    path, _ = write_report(folder, studied.chosen(()))
    text = path.read_text(encoding="utf-8")
    shown = outline(text)
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert not {"script", "link", "iframe", "object", "base"} & set(shown.tags)
    assert {"header", "main", "section", "table", "figure", "figcaption", "math"} <= set(shown.tags)
    assert shown.tags.count("h1") == 1
    assert len(set(shown.ids)) == len(shown.ids)
    assert "http" not in text
    assert "url(" not in text
    assert "@import" not in text
    for link in shown.links:
        assert link.startswith("data:image/") or link.removeprefix("#") in shown.ids
    assert all('scope="' in head for head in re.findall(r"<th\b[^>]*>", text))
    assert all('alt="' in image for image in re.findall(r"<img\b[^>]*>", text))


def test_the_same_evidence_gives_the_same_page(folder):
    first = write_report(folder, studied.chosen(()))[0].read_bytes()
    assert write_report(folder, studied.chosen(()))[0].read_bytes() == first
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["one.h5", "report.html", "two.h5"]


def test_hostile_texts_stay_texts(tmp_path, monkeypatch):
    texts = dict.fromkeys(("title", "statement", "hypotheses", "source"), HOSTILE)
    numbers = Number(HOSTILE, 1.0, 0.1, 1.0, "=")
    claims = [claim("one", numbers, **texts), claim("left", **texts)]
    install(monkeypatch, *claims)
    made = gather(claims[0], True, tmp_path, silent)
    told = dict.fromkeys(made.attributes, HOSTILE)
    object.__setattr__(made, "attributes", told)
    object.__setattr__(made, "sentences", (HOSTILE,) * 3)
    shown = outline(page(claims, {"one": made}, tmp_path / HOSTILE.replace("/", "")))
    assert "script" not in shown.tags
    assert shown.tags.count("img") == 1
    assert all(link.startswith(("data:image/", "#")) for link in shown.links)
    assert "".join(shown.text).count(HOSTILE) > 10


def test_changed_sources_are_told(folder, monkeypatch):
    monkeypatch.setattr(studied, "code", lambda: {"sources": "other"})
    path, _ = write_report(folder, studied.chosen(()))
    text = path.read_text(encoding="utf-8")
    assert text.count("the sources have changed since") == 2
    words = " ".join("".join(outline(text).text).split())
    assert "all measured in smaller sizes; 2 measured by older sources." in words
    rows = re.findall(r"<tr .*?</tr>", text[: text.index("</table>")], re.DOTALL)
    assert ["measured by older sources" in one for one in rows] == [False, True, True, False]


def test_a_figure_that_cannot_be_drawn_is_told_and_the_page_goes_on(folder, monkeypatch):
    found = studied.read_all(folder, studied.chosen(()))
    del found["one"].curves["values"]
    text = page(studied.chosen(()), found, folder)
    assert "its figure cannot be drawn" in text
    assert text.count("<img") == 1


def test_the_default_folder_needs_no_option(folder):
    found = studied.read_all(folder, studied.chosen(()))
    assert "--output" not in page(studied.chosen(()), found, Path("output/claims"))


def test_a_page_that_cannot_be_written_is_one_sentence(folder):
    (folder / "report.html").mkdir()
    with pytest.raises(InputError, match=r"report\.html cannot be written: it is not a file"):
        write_report(folder, studied.chosen(()))


@pytest.mark.parametrize(("points", "kind"), [(10, "svg+xml"), (20_000, "png")])
def test_small_figures_are_vectors_and_large_ones_pixels(points, kind):
    drawn = Figure(figsize=(7.0, 3.0))
    drawn.add_subplot().plot(*np.random.default_rng(0).normal(size=(2, points)), ".")
    uri, wide, tall = picture(drawn)
    head, _, data = uri.partition(",")
    assert head == f"data:image/{kind};base64"
    assert (wide, tall) == (672, 288)
    assert len(base64.b64decode(data, validate=True)) < 500_000
