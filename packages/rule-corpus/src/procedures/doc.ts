import { type ProcedureCorpus, playableTechniques, readProcedures, SILENT_REASONS } from './corpus.ts';
import { sharesOf, shareText } from './report.ts';
import { type Measurement, type PartScore, readSummary } from './summary.ts';

const HEAD = `| | procedures | recommended | with hunt | right technique | silent |
| --- | ---: | ---: | ---: | ---: | ---: |`;

/** Returns docs/EFFICACY.md: the measurements of the procedures, the misses, and the corpus by technique. */
export function efficacyDocs(): string {
  const corpus = readProcedures();
  const summary = readSummary();
  return `# Efficacy

The share of attacks that the built-in rules find. The corpus (rules/procedures) has
${corpus.procedures.length} procedures: ways to do the techniques and sub-techniques of ATT&CK v19 that Linux and
containers have. Each states the alert that it should raise.

This page is generated: \`sudo npm run procedures -- --write\` plays the corpus and writes
\`packages/rule-corpus/procedures.json\`, and \`npm run docs\` writes this page.

| column | procedures that count | and have |
| --- | --- | --- |
| recommended | those that expect a recommended rule | an alert of one |
| with hunt | those that expect an alert | an alert of either profile |
| right technique | those that expect an alert and have one | an alert with the technique, or the one above it |
| silent | those that expect none | no alert of either profile |

An alert has the priority \`notice\` or higher. The hash of a procedure's name assigns a third of the
corpus to the held-out part, which nobody looks at while rules are written: only its figures are
printed. The later part (folder \`later\`) was written after the first measurement; rules were
written for its misses, as for those of the open part.

${summary === undefined ? 'Nothing has been measured yet.\n' : measured(summary.first, summary.last)}
## Corpus

Reasons why a procedure may be silent: ${Object.entries(SILENT_REASONS)
    .map(([name, reason]) => `\`${name}\` (${reason})`)
    .join(', ')}.

${techniqueTable(corpus)}
`;
}

function measured(first: Measurement, last: Measurement): string {
  const when = ({ measured: day, kernel, rules }: Measurement): string => `${day}, kernel ${kernel}, ${rules} rules`;
  return `## Measurements

${HEAD}
${row(`held-out third, first (${when(first)})`, first.heldOut)}
${row(`held-out third, last (${when(last)})`, last.heldOut)}
${row('open part, first', first.open)}
${row('open part, last', last.open)}
${last.later === undefined ? '' : `${row('later part, last', last.later)}\n`}
## Open part by tactic

${HEAD}
${Object.entries(last.tactics)
  .map(([tactic, part]) => row(tactic, part))
  .join('\n')}

## Misses of the open and the later part

\`\`\`
${last.misses.join('\n')}
\`\`\`
`;
}

function row(title: string, part: PartScore): string {
  return `| ${[title, String(part.procedures), ...sharesOf(part).map(shareText)].join(' | ')} |`;
}

function techniqueTable({ procedures, fewer }: ProcedureCorpus): string {
  const counts = Map.groupBy(procedures, ({ technique }) => technique);
  const reasons = new Map(fewer.map(({ technique, reason }) => [technique, reason]));
  const rows = playableTechniques().map(
    ({ id, name }) => `| ${id} | ${name} | ${counts.get(id)?.length ?? 0} | ${reasons.get(id) ?? ''} |`,
  );
  return [
    '| technique | name | procedures | reason for fewer than three |',
    '| --- | --- | ---: | --- |',
    ...rows,
  ].join('\n');
}
