import type { NotedHeads, Tampering, TamperKind, Verification } from '@ringfence/auditor';
import type { Paint } from '@ringfence/base';
import { escapeText } from '@ringfence/schema';
import { counted } from '../shared/numbers.ts';

const MEANINGS: Readonly<Record<TamperKind, string>> = {
  changed: 'is not what was stored',
  missing: 'is gone',
  added: 'was not written by an auditor',
  'cut-off': 'and what followed is gone',
  replaced:
    'heads of another trail are on the bus: this one was put in its place, or begun anew after that one was damaged or lost',
  'forged-head': 'a head on the bus that no auditor signed',
};

/** What `ringfence audit verify` prints. `noted` null: no heads were looked at. */
export function auditLines(paint: Paint, found: Verification, noted: NotedHeads | null, place: string): string[] {
  const { records, chains, retired, unfinished, problems, problemCount } = found;
  const lines = [
    `${paint.bold(escapeText(place))}: ${counted(records, 'record')} in ${counted(chains.length, 'chain')}`,
    headLine(found, noted),
  ];
  if (retired > 0)
    lines.push(`${counted(retired, 'older record')} let go by retention, from the beginnings of the chains`);
  if (unfinished > 0)
    lines.push(
      `${counted(unfinished, 'record')} behind the heads: a batch being written, or one whose auditor died and which the next one finishes`,
    );
  lines.push(...problems.map((problem) => problemLine(paint, problem)));
  if (problemCount > problems.length) lines.push(`… and ${counted(problemCount - problems.length, 'further problem')}`);
  lines.push(
    problemCount === 0
      ? paint.green('the trail is whole')
      : paint.red(`the trail is not whole: ${counted(problemCount, 'problem')}`),
  );
  return lines;
}

function headLine({ heads }: Verification, noted: NotedHeads | null): string {
  if (noted === null) return 'no heads on the bus were looked at: a trail rewritten to its end would not show';
  const signatures = noted.areVerified ? 'signed by auditors' : 'signatures not looked at';
  return `held against ${counted(heads, 'head')} on the bus (${signatures})`;
}

function problemLine(paint: Paint, { what, topic, partition, kind, seq, id, count: number }: Tampering): string {
  const chain = topic === '' ? '' : ` ${topic}/${partition} ${kind}`;
  const place = number > 1 ? `records ${seq} to ${seq + number - 1}` : `record ${seq}`;
  const name = id === '' ? '' : ` (${id})`;
  return `${paint.red(what.padEnd(11))}${escapeText(`${chain} ${place}${name}`)}: ${MEANINGS[what]}`;
}
