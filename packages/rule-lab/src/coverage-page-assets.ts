/** Style and script of the coverage page, as text that goes to the browser unchanged. */

export const STYLE = `
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --ink: #1b2330; --soft: #667085; --line: #dfe3ea; --accent: #0b63ce;
  --c0: transparent; --c1: #d5e9ff; --c2: #a9d1ff; --c3: #74b3fb; --c4: #3d8fea; --c5: #1668c7; --on-dark: #fff; --on-darkest: #fff; }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { --paper: #0f141b; --card: #171e28; --ink: #e6ebf2; --soft: #8b98ab; --line: #28323f; --accent: #6db3ff;
  --c1: #17324f; --c2: #1b4775; --c3: #205f9e; --c4: #2a7bc9; --c5: #62b0fa; --on-dark: #fff; --on-darkest: #04101e; } }
:root[data-theme=dark] { color-scheme: dark; --paper: #0f141b; --card: #171e28; --ink: #e6ebf2; --soft: #8b98ab; --line: #28323f; --accent: #6db3ff;
  --c1: #17324f; --c2: #1b4775; --c3: #205f9e; --c4: #2a7bc9; --c5: #62b0fa; --on-dark: #fff; --on-darkest: #04101e; }
:root[data-theme=light] { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 13px/1.4 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 12px 32px; align-items: center; padding: 20px 24px 14px; }
h1 { margin: 0; font-size: 20px; letter-spacing: -.01em; }
header p { margin: 2px 0 0; color: var(--soft); }
dl { display: flex; gap: 28px; margin: 0; }
dl div { display: flex; flex-direction: column-reverse; }
dt { color: var(--soft); font-size: 12px; }
dd { margin: 0; font-size: 22px; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.1; }
dd small { color: var(--soft); font-size: 13px; font-weight: 400; }
nav { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin-left: auto; }
nav input[type=search] { width: 220px; padding: 7px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit; font: inherit; }
nav label { display: flex; gap: 5px; align-items: center; white-space: nowrap; }
#theme { border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit; font-size: 15px; padding: 4px 9px; cursor: pointer; }
main { display: flex; gap: 8px; align-items: flex-start; overflow-x: auto; padding: 0 24px 20px; }
section { flex: 1 0 132px; min-width: 132px; max-width: 220px; }
h2 { margin: 0 0 6px; padding: 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); font-size: 13px; line-height: 1.25; min-height: 108px; display: flex; flex-direction: column; }
h2 small { display: block; color: var(--soft); font-size: 11px; font-weight: 400; margin-top: 2px; }
.sum { margin-top: auto; padding-top: 6px; color: var(--soft); font-size: 11px; font-weight: 400; font-variant-numeric: tabular-nums; display: flex; gap: 6px; align-items: center; white-space: nowrap; }
meter { flex: 1; min-width: 0; height: 8px; }
.cell { display: grid; grid-template-columns: 1fr auto; gap: 0 6px; width: 100%; margin-bottom: 4px; padding: 6px 8px; border: 1px solid var(--line); border-radius: 6px; background: var(--c0); color: inherit; font: inherit; font-size: 12px; line-height: 1.25; text-align: left; cursor: pointer; }
.cell .id { color: var(--soft); font-size: 10px; }
.cell .name { grid-column: 1 / -1; overflow-wrap: anywhere; }
.cell .count { grid-area: 1 / 2; font-weight: 650; font-size: 11px; font-variant-numeric: tabular-nums; }
.cell:hover, .cell:focus-visible { outline: 2px solid var(--accent); outline-offset: 0; }
.cell.c0 { color: var(--soft); border-style: dashed; }
.c1 { background: var(--c1); } .c2 { background: var(--c2); } .c3 { background: var(--c3); } .c4 { background: var(--c4); } .c5 { background: var(--c5); }
.cell:not(.c0) { border-color: transparent; }
.cell:not(.c0) .id { color: inherit; opacity: .7; }
.cell.c4 { color: var(--on-dark); }
.cell.c5 { color: var(--on-darkest); }
.subs { display: none; margin: 0 0 6px 10px; padding-left: 6px; border-left: 2px solid var(--line); }
body.subs-shown .subs { display: block; }
.sub { margin-bottom: 3px; padding: 4px 7px; font-size: 11px; }
[hidden] { display: none; }
footer { display: flex; flex-wrap: wrap; gap: 8px 24px; justify-content: space-between; padding: 0 24px 24px; color: var(--soft); font-size: 12px; }
.legend i { display: inline-block; width: 14px; height: 14px; margin: 0 4px 0 10px; border: 1px solid var(--line); border-radius: 4px; vertical-align: -2px; }
.untagged { padding: 0 24px; color: var(--soft); }
dialog { width: min(560px, calc(100vw - 32px)); max-height: 80vh; padding: 22px 24px; border: 1px solid var(--line); border-radius: 12px; background: var(--card); color: var(--ink); box-shadow: 0 18px 60px #0006; }
dialog::backdrop { background: #0007; }
dialog h3 { margin: 0; font-size: 17px; }
dialog .id, dialog .old { margin: 2px 0 0; color: var(--soft); }
dialog ul { margin: 14px 0 0; padding: 0; list-style: none; }
dialog li { padding: 10px 0; border-top: 1px solid var(--line); }
dialog li p { margin: 3px 0; }
dialog code { color: var(--soft); font-size: 11px; }
em { padding: 1px 7px; border-radius: 9px; background: var(--line); font-size: 11px; font-style: normal; }
em.critical, em.alert, em.emergency { background: #c62828; color: #fff; } em.error { background: #d9622b; color: #fff; } em.warning { background: #e8b931; color: #241c00; }
@media print { nav, dialog { display: none; } main { overflow: visible; flex-wrap: wrap; } }
`;

export const SCRIPT = `
const at = (id) => document.getElementById(id);
const detail = at('detail');
document.addEventListener('click', (event) => {
  const cell = event.target.closest('.cell');
  if (cell !== null) {
    detail.replaceChildren(cell.nextElementSibling.content.cloneNode(true));
    detail.showModal();
  } else if (event.target === detail) detail.close();
});
const entries = [...document.querySelectorAll('main .entry')].reverse();
function show() {
  const words = at('search').value.toLowerCase().split(/\\s+/).filter(Boolean);
  const gaps = at('gaps').checked;
  document.body.classList.toggle('subs-shown', at('subs').checked || words.length > 0);
  for (const entry of entries) {
    const inside = [...entry.querySelectorAll('.entry')].some((nested) => !nested.hidden);
    const fits = words.every((word) => entry.dataset.found.includes(word)) && !(gaps && entry.dataset.rules !== '0');
    entry.hidden = !(fits || inside);
  }
}
for (const id of ['search', 'gaps', 'subs']) at(id).addEventListener('input', show);
at('theme').addEventListener('click', () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === 'dark' || (document.documentElement.dataset.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
});
`;
