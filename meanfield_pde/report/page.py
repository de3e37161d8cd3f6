"""The page: what the equation is, a table of all claims, and a section for each measured one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence, Set
from html import escape
from pathlib import Path

from meanfield_pde.errors import InputError
from meanfield_pde.report.equation import INTRODUCTION, READING, TITLE
from meanfield_pde.report.pictures import picture
from meanfield_pde.report.style import CSS
from meanfield_pde.results.disk import write_text
from meanfield_pde.results.evidence import Evidence
from meanfield_pde.results.provenance import PACKAGES
from meanfield_pde.studies.bars import expectation, row, with_bar
from meanfield_pde.studies.claims.claim import Claim
from meanfield_pde.studies.evidence import figure, is_current, read_all, time_needed

NAME = "report.html"

FOLDER = Path("output/claims")
"""Where evidence is, unless said otherwise."""

OLDER = "measured by older sources"

MARKS = {"holds": "✓", "off": "✗", "told": "", "unmeasured": ""}
"""Before a verdict, for readers who see no colours."""

COLUMNS = ("Claim", "Verdict", "Hypotheses", "Headline number", "Command")

DETAILS = ("Number", "Measured", "Expected", "Verdict")


def write_report(folder: Path, wanted: Sequence[Claim]) -> tuple[Path, dict[str, Evidence]]:
    """Turn the files of evidence in a folder into one page beside them.

    Parameters
    ----------
    folder : Path
    wanted : sequence of Claim
        In the order of the page.

    Returns
    -------
    Path, dict
        The page; and the evidence that is on it, by the names of the claims.

    Raises
    ------
    InputError
        If there is no such folder, no evidence in it, or it takes no file.
    """
    found = read_all(folder, wanted)
    return write_text(folder / NAME, page(wanted, found, folder)), found


def page(wanted: Sequence[Claim], found: Mapping[str, Evidence], folder: Path) -> str:
    """The whole page.

    Parameters
    ----------
    wanted : sequence of Claim
    found : mapping of str to Evidence
        By the names of claims, of some of them.
    folder : Path
        Of the evidence, as commands name it.
    """
    measured = [claim for claim in wanted if claim.name in found]
    left = [claim for claim in wanted if claim.name not in found]
    older = {claim.name for claim in measured if not is_current(claim, found[claim.name])}
    sections = [_section(c, found[c.name], c.name in older) for c in measured]
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(TITLE)}</title>
<style>
{CSS}</style>
</head>
<body>
<header>
<h1>{escape(TITLE)}</h1>
{INTRODUCTION}{READING}</header>
<main>
{_overview(wanted, found, older, folder)}
{"".join(sections)}{_unmeasured(left, folder)}</main>
</body>
</html>
"""


def _overview(
    wanted: Sequence[Claim], found: Mapping[str, Evidence], older: Set[str], folder: Path
) -> str:
    """How many claims hold, and a row for each."""
    rows = "\n".join(
        _overview_row(claim, found.get(claim.name), claim.name in older, folder) for claim in wanted
    )
    heads = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in COLUMNS)
    return f"""\
<section class="overview" aria-labelledby="claims">
<h2 id="claims">The claims</h2>
<p class="summary">{_summary(len(wanted), list(found.values()), len(older))}</p>
<table class="claims" role="table" aria-labelledby="claims">
<thead role="rowgroup"><tr role="row">{heads}</tr></thead>
<tbody role="rowgroup">
{rows}
</tbody>
</table>
</section>"""


def _summary(count: int, found: Sequence[Evidence], older: int) -> str:
    hold = sum(evidence.holds for evidence in found)
    parts = [f"{hold} of {len(found)} measured claims hold"]
    if count > len(found):
        parts.append(f"{count - len(found)} not measured")
    quick = sum(evidence.quick for evidence in found)
    if quick:
        every = "all" if quick == len(found) else str(quick)
        parts.append(f"{every} measured in smaller sizes")
    if older:
        parts.append(f"{older} {OLDER}")
    return f"{'; '.join(parts)}."


def _overview_row(claim: Claim, evidence: Evidence | None, older: bool, folder: Path) -> str:
    command = _code(_command(claim, evidence, folder))
    if evidence is None:
        title, number = escape(claim.title), '<span class="soft">–</span>'
        verdict = _verdict("unmeasured", "not measured")
    else:
        title = f'<a href="#{escape(claim.name)}">{escape(claim.title)}</a>'
        number, verdict = _headline(evidence), _whole_verdict(evidence)
        if older:
            verdict = f'<div>{verdict}<span class="what">{OLDER}</span></div>'
    cells = zip(COLUMNS[1:], (verdict, escape(claim.hypotheses), number, command), strict=True)
    return _row(title, [(label, label.split()[0].lower(), cell) for label, cell in cells])


def _headline(evidence: Evidence) -> str:
    """The first number, in three lines."""
    if not evidence.numbers:
        return "–"
    first = evidence.numbers[0]
    value = _minus(with_bar(first.value, first.bar))
    expected = _minus(expectation(first))
    told = "" if expected == "-" else f'<span class="expected">expected: {expected}</span>'
    return (
        f'<div><span class="what">{escape(first.what)}</span>'
        f'<span class="number">{value}</span>{told}</div>'
    )


def _section(claim: Claim, evidence: Evidence, older: bool) -> str:
    """All that is known of a claim."""
    name = escape(claim.name)
    sentences = " ".join(escape(sentence) for sentence in evidence.sentences)
    heads = "".join(f'<th scope="col" role="columnheader">{word}</th>' for word in DETAILS)
    rows = "\n".join(_detail(*row(number)) for number in evidence.numbers)
    return f"""\
<section class="claim" id="{name}" aria-labelledby="{name}-title">
<h2 id="{name}-title">{escape(claim.title)}</h2>
<p class="statement">{escape(claim.statement)}</p>
<dl>
<dt>Verdict</dt><dd>{_whole_verdict(evidence)}</dd>
<dt>Hypotheses</dt><dd>{escape(claim.hypotheses)}</dd>
<dt>Source</dt><dd>{escape(claim.source)}</dd>
</dl>
{_figure(claim, evidence, sentences)}
<table role="table">
<caption>All numbers</caption>
<thead role="rowgroup"><tr role="row">{heads}</tr></thead>
<tbody role="rowgroup">
{rows}
</tbody>
</table>
{_made(evidence, older)}
</section>
"""


def _figure(claim: Claim, evidence: Evidence, sentences: str) -> str:
    """The figure and what was found; or why there is none."""
    try:
        uri, wide, tall = picture(figure(evidence))
    except InputError as error:
        return f'<p class="off">{escape(str(error))}</p>\n<p>{sentences}</p>'
    title = escape(claim.title)
    return f"""\
<figure>
<div class="scroll" role="group" tabindex="0" aria-label="Figure: {title}">
<img src="{uri}" width="{wide}" height="{tall}" alt="Measured: {title}">
</div>
<p class="hint" aria-hidden="true">Scroll sideways for all of it →</p>
<figcaption>{sentences}</figcaption>
</figure>"""


def _detail(what: str, measured: str, expected: str, verdict: str) -> str:
    cells = [
        (DETAILS[1], "number nobreak", _minus(measured)),
        (DETAILS[2], "number nobreak", "–" if expected == "-" else _minus(expected)),
        (DETAILS[3], "judged", _verdict(verdict, verdict)),
    ]
    return _row(escape(what), cells)


def _row(head: str, cells: Sequence[tuple[str, str, str]]) -> str:
    """Its head, and cells with their labels, classes and contents."""
    told = "".join(
        f'<td role="cell" class="{looks}" data-label="{label}">{content}</td>'
        for label, looks, content in cells
    )
    return f'<tr role="row"><th scope="row" role="rowheader">{head}</th>{told}</tr>'


def _made(evidence: Evidence, older: bool) -> str:
    """Command, time, commit and versions of a measurement."""
    told = evidence.attributes
    versions = [
        f"{name} {told.get(f'{name}_version', 'unknown')}" for name in ("python", *PACKAGES)
    ]
    seconds = told.get("seconds")
    time = f"{seconds:.0f} s" if isinstance(seconds, int | float) else "unknown"
    where = [told.get("machine"), f"{told.get('processors', '?')} processors"]
    entries = {
        "Command": _code(str(told.get("command", "unknown"))),
        "Sizes": "smaller, for a quick look" if evidence.quick else "full",
        "Time": escape(f"{time}, {', '.join(str(word) for word in where if word)}"),
        "Started": escape(str(told.get("started", "unknown"))),
        "Commit": _code(str(told.get("commit", "unknown"))),
        "Versions": escape(", ".join(versions)),
    }
    if older:
        entries["Beware"] = "the sources have changed since; measure it again"
    lines = "\n".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in entries.items())
    return f'<div class="made">\n<h3>How it was made</h3>\n<dl>\n{lines}\n</dl>\n</div>'


def _unmeasured(left: Sequence[Claim], folder: Path) -> str:
    """What the claims without evidence say, and how they are measured."""
    if not left:
        return ""
    parts = [
        f"<h3>{escape(claim.title)}</h3>\n<p>{escape(claim.statement)}</p>\n"
        f"<p>{_code(_command(claim, None, folder))} "
        f'<span class="soft">({time_needed([claim], quick=False)}; with --quick '
        f"{time_needed([claim], quick=True)})</span></p>"
        for claim in left
    ]
    told = "\n".join(parts)
    return (
        f'<section aria-labelledby="left">\n<h2 id="left">Not measured</h2>\n{told}\n</section>\n'
    )


def _whole_verdict(evidence: Evidence) -> str:
    if not evidence.judged:
        return _verdict("told", evidence.verdict)
    return _verdict("holds" if evidence.holds else "off", evidence.verdict)


def _verdict(looks: str, words: str) -> str:
    mark = f'<span aria-hidden="true">{MARKS[looks]} </span>' if MARKS[looks] else ""
    size = " long" if len(words) > 12 else ""
    return f'<span class="verdict {looks}{size}">{mark}{escape(words)}</span>'


def _command(claim: Claim, evidence: Evidence | None, folder: Path) -> str:
    """What is typed to measure a claim."""
    quick = " --quick" if evidence is not None and evidence.quick else ""
    where = "" if folder == FOLDER else f" --output {shlex.quote(str(folder))}"
    return f"python -m meanfield_pde claim {claim.name}{quick}{where}"


def _code(line: str) -> str:
    """A command line, which may be broken anywhere but within an option."""
    words = [
        f'<span class="option">{escape(word)}</span>' if word.startswith("--") else escape(word)
        for word in line.split(" ")
    ]
    return f"<code>{' '.join(words)}</code>"


def _minus(text: str) -> str:
    """Safe text of a number, its sign as long as a plus."""
    return escape(text).replace("-", "−")
