"""The looks of the page: on a desk, on a phone, on paper."""

CSS = """\
:root {
  --ink: #1a1a1a; --soft: #55585e; --line: #d5d8dd; --paper: #ffffff; --tint: #f5f7f9;
  --dark: #1d4e89; --good: #1b6b3a; --bad: #a32018;
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; color: var(--ink); background: var(--paper);
  font: 1.0625rem/1.55 Charter, "Bitstream Charter", "STIX Two Text", "STIX", Palatino,
    "Palatino Linotype", "Liberation Serif", "Times New Roman", serif;
  font-variant-numeric: lining-nums;
}
header, main { max-width: 60rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3rem; }
main { padding-bottom: 4rem; }
h1, h2, h3 { line-height: 1.2; font-weight: 600; text-wrap: balance; }
h1 { font-size: 2.1rem; margin: 0 0 1.2rem; }
h2 { font-size: 1.5rem; margin: 0 0 .7rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p, dl { max-width: 44rem; margin: 0 0 .8rem; }
a { color: var(--dark); text-underline-offset: .15em; }
math {
  font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", "Libertinus Math", math, serif;
  font-size: 1.08em;
}
.equations {
  display: flex; flex-wrap: wrap; justify-content: center; align-items: baseline;
  gap: .7rem 3rem; max-width: 44rem; margin: 1.1rem 0; overflow-x: auto; overflow-y: hidden;
}
.equations math { flex: none; }
code {
  font: .82em/1.45 "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace;
  overflow-wrap: anywhere;
}
.option { white-space: nowrap; }
section { margin-top: 3.2rem; padding-top: 1.6rem; border-top: 1px solid var(--line); }
.summary { font-weight: 600; }
.statement { font-size: 1.12rem; }
.verdict { white-space: nowrap; font-weight: 600; }
.verdict.long { white-space: normal; }
.holds { color: var(--good); }
.off { color: var(--bad); }
.told, .unmeasured, .soft { color: var(--soft); font-weight: 400; }
dt { float: left; clear: left; width: 7rem; color: var(--soft); }
dd { margin: 0 0 .25rem 7rem; }
figure { margin: 1.4rem 0 1.2rem; max-width: 46rem; }
figure img { display: block; width: 100%; height: auto; }
figcaption { max-width: 44rem; margin-top: 1rem; }
.hint { display: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; line-height: 1.4; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .9rem .5rem 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th {
  color: var(--soft); font-weight: 400; border-bottom: 1.5px solid var(--ink);
  vertical-align: bottom; white-space: nowrap;
}
tbody th { font-weight: 400; }
tbody tr { border-bottom: 1px solid var(--line); }
.claims tbody th { font-weight: 600; min-width: 9rem; }
.claims .hypotheses { min-width: 11rem; }
.claims .headline { min-width: 10rem; }
.claims .command { min-width: 12.5rem; }
.number { font-variant-numeric: lining-nums tabular-nums; }
.what, .expected { display: block; }
.what, .expected { color: var(--soft); font-size: .94em; }
.nobreak { white-space: nowrap; }
.made { font-size: .9rem; color: var(--soft); }
.made dl { max-width: none; }
footer { margin-top: 3rem; }

@media (max-width: 46rem) {
  body { font-size: 1rem; }
  header, main { padding-left: 1.1rem; padding-right: 1.1rem; }
  header { padding-top: 1.6rem; }
  h1 { font-size: 1.6rem; }
  h2 { font-size: 1.3rem; }
  section { margin-top: 2.2rem; }
  figure img { min-width: 38rem; }
  .hint { display: block; margin: .4rem 0 0; color: var(--soft); font-size: .88rem; }
  dt { float: none; width: auto; }
  dd { margin: 0 0 .5rem; }
  table, tbody, tr, th, td, caption { display: block; width: 100%; min-width: 0; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { padding: .8rem 0; }
  table tbody th, table tbody td { padding: .1rem 0; min-width: 0; }
  tbody td { display: grid; grid-template-columns: 6.2rem 1fr; column-gap: .8rem; }
  tbody td::before { content: attr(data-label); color: var(--soft); font-weight: 400; }
  tbody th { font-size: 1.02rem; }
  .nobreak { white-space: normal; }
}

@page { size: A4; margin: 17mm 16mm 18mm; }
@media print {
  body { font-size: 10pt; line-height: 1.4; }
  header, main { max-width: none; padding: 0; }
  h1 { font-size: 20pt; }
  h2 { font-size: 14pt; }
  h2, h3, caption { break-after: avoid; }
  p { orphans: 3; widows: 3; }
  p, dl, figure, figcaption, .equations { max-width: none; }
  a { color: inherit; text-decoration: none; }
  section { margin-top: 1.4rem; padding-top: 0; border-top: 0; }
  section.claim { break-before: page; margin-top: 0; }
  figure { break-inside: avoid; margin: .8rem 0; }
  figcaption { margin-top: .5rem; }
  .hint { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 8.6pt; }
  th, td { padding: .3rem .7rem .3rem 0; }
  tr, .made { break-inside: avoid; }
  thead { display: table-header-group; }
  .made { font-size: 8.4pt; }
  .made h3 { margin: .8rem 0 .2rem; font-size: 9pt; }
  .made dt, .made dd { float: none; display: inline; margin: 0; }
  .made dt::after { content: ": "; }
  .made dd::after { content: "; "; }
  .made dd:last-child::after { content: "."; }
  .claims tbody th { min-width: 0; }
  .claims .hypotheses, .claims .headline, .claims .command { min-width: 0; }
}
"""
