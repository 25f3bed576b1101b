import { createHash } from 'node:crypto';
import { ATTACK_VERSION, TACTIC_NAMES } from '@ringfence/rules';
import { type Coverage, type CoverageCell, type CoverageColumn, rulesOf } from './coverage.ts';
import { SCRIPT, STYLE } from './coverage-page-assets.ts';

/** Number of rules from which on a cell has the darkest color. */
const DARKEST = 5;

/** Returns the matrix as a page that loads nothing. Texts are escaped, and its policy allows only its own script. */
export function coveragePage(coverage: Coverage): string {
  const { rules, covered, techniques, columns, untagged } = coverage;
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}`;
  const percent = techniques === 0 ? 0 : Math.round((100 * covered) / techniques);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>ATT&amp;CK coverage</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<div><h1>ATT&amp;CK coverage</h1><p>ATT&amp;CK v${ATTACK_VERSION} for Linux and containers</p></div>
<dl>
<div><dt>rules</dt><dd>${rules}</dd></div>
<div><dt>techniques</dt><dd>${covered}<small> of ${techniques}</small></dd></div>
<div><dt>covered</dt><dd>${percent}<small> %</small></dd></div>
</dl>
<nav>
<input type="search" id="search" placeholder="Technique, id or rule" aria-label="Technique, id or rule" autocomplete="off">
<label><input type="checkbox" id="subs"> sub-techniques</label>
<label><input type="checkbox" id="gaps"> gaps only</label>
<button type="button" id="theme" aria-label="Dark or light">◐</button>
</nav>
</header>
<main>${columns.map(columnHtml).join('\n')}</main>
${untagged.length === 0 ? '' : `<p class="untagged">Without a technique: ${untagged.map(({ name }) => escapeHtml(name)).join(', ')}</p>`}
<footer><span class="legend"><i class="c0"></i>none <i class="c1"></i>1 <i class="c2"></i>2 <i class="c3"></i>3 <i class="c4"></i>4 <i class="c5"></i>5 rules or more</span>
<span>ATT&amp;CK® is a registered trademark of The MITRE Corporation.</span></footer>
<dialog id="detail"></dialog>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function columnHtml({ tactic, cells }: CoverageColumn): string {
  const { id, v19, v18 } = TACTIC_NAMES[tactic];
  const have = cells.filter((cell) => rulesOf(cell).length > 0).length;
  const share = Math.round((100 * have) / cells.length);
  const before = v18 === v19 ? '' : `<small>v18: ${escapeHtml(v18)}</small>`;
  return `<section><h2>${escapeHtml(v19)}<small>${id}</small>${before}<span class="sum"><meter min="0" max="100" value="${share}"></meter>${have} of ${cells.length}</span></h2>
${cells.map((cell) => cellHtml(cell)).join('\n')}</section>`;
}

function cellHtml(cell: CoverageCell, sub = false): string {
  const { id, name, formerly } = cell.technique;
  const rules = rulesOf(cell);
  const found = [id, ...formerly, name, ...rules.map((rule) => rule.name)].join(' ').toLowerCase();
  const old = formerly.length === 0 ? '' : `<p class="old">v18: ${formerly.join(', ')}</p>`;
  const list = rules.map(
    (rule) =>
      `<li><b>${escapeHtml(rule.name)}</b> <em class="${escapeHtml(rule.priority)}">${escapeHtml(rule.priority)}</em><p>${escapeHtml(rule.description)}</p><code>${escapeHtml(rule.file)}:${rule.line}</code></li>`,
  );
  const body = list.length === 0 ? '<p>No rule covers this technique.</p>' : `<ul>${list.join('')}</ul>`;
  const subs =
    cell.subs.length === 0 ? '' : `<div class="subs">${cell.subs.map((sub) => cellHtml(sub, true)).join('')}</div>`;
  const hover = rules.map((rule) => rule.name).join('\n');
  return `<div class="entry" data-found="${escapeHtml(found)}" data-rules="${rules.length}"><button type="button" class="cell c${Math.min(rules.length, DARKEST)}${sub ? ' sub' : ''}" title="${escapeHtml(hover)}"><span class="id">${id}</span><span class="name">${escapeHtml(name)}</span>${rules.length === 0 ? '' : `<span class="count">${rules.length}</span>`}</button><template><h3>${escapeHtml(name)}</h3><p class="id">${id}</p>${old}${body}</template>${subs}</div>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
