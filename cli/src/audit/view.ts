import type { PublishedHeads, Tampering, TamperKind, Verification } from '@ringfence/auditor';
import type { Paint } from '@ringfence/base';
import { escapeText, type OperatorAction } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

const MEANINGS: Readonly<Record<TamperKind, string>> = {
  changed: 'differs from what the auditor stored',
  missing: 'removed',
  added: 'not written by an auditor',
  'cut-off': 'removed, with all later records',
  replaced:
    'the published heads belong to another trail: this trail replaced it, or was started after it was damaged or lost',
  'forged-head': 'a published head that no auditor signed',
};

/** Lines that `ringfence audit verify` prints. `notedHeads`: null if no heads were compared. */
export function auditLines(
  paint: Paint,
  found: Verification,
  notedHeads: PublishedHeads | null,
  location: string,
): string[] {
  const { records, chains, retired, unfinished, problems, problemCount } = found;
  const lines = [
    `${paint.bold(escapeText(location))}: ${counted(records, 'record')} in ${counted(chains.length, 'chain')}`,
    headLine(found, notedHeads),
  ];
  if (retired > 0) lines.push(`${counted(retired, 'older record')} removed by retention`);
  if (unfinished > 0)
    lines.push(
      `${counted(unfinished, 'record')} newer than the heads: an auditor is writing this batch, or died and finishes it after its restart`,
    );
  lines.push(...problems.map((problem) => problemLine(paint, problem)));
  if (problemCount > problems.length) lines.push(`… and ${counted(problemCount - problems.length, 'more problem')}`);
  lines.push(
    problemCount === 0
      ? paint.green('the trail is intact')
      : paint.red(`the trail is not intact: ${counted(problemCount, 'problem')}`),
  );
  return lines;
}

function headLine({ heads }: Verification, notedHeads: PublishedHeads | null): string {
  if (notedHeads === null)
    return 'compared with no published heads: a trail that was rewritten up to its end goes unnoticed';
  const signatures = notedHeads.areVerified ? 'signed by auditors' : 'signatures not verified';
  return `compared with ${counted(heads, 'published head')} (${signatures})`;
}

function problemLine(paint: Paint, problem: Tampering): string {
  const { type, topic, partition, kind, seq, id, count } = problem;
  const chain = topic === '' ? '' : ` ${topic}/${partition} ${kind}`;
  const range = count > 1 ? `records ${seq} to ${seq + count - 1}` : `record ${seq}`;
  const name = id === '' ? '' : ` (${id})`;
  return `${paint.red(type.padEnd(11))}${escapeText(`${chain} ${range}${name}`)}: ${MEANINGS[type]}`;
}

/** Formats who did what, from where and why. What only a client says is named as claimed. */
export function operatorLine(paint: Paint, action: OperatorAction): string {
  const { at, user, uid, claimedUser, claimedUid, hostname, origin, target, reason, command, details } = action;
  const name = user === '' ? `uid ${uid}` : user;
  const claimed = claimedUid < 0 && claimedUser === '' ? '' : ` (claimed: ${claimedUser} ${claimedUid})`;
  const facts = Object.entries(details).map(([key, value]) => `${key}=${value}`);
  const from = command === '' ? origin : `${origin}: ${command}`;
  return [
    `${paint.dim(new Date(at / 1000).toISOString())} `,
    `${escapeText(`${name}${claimed} on ${hostname}`)} ${paint.bold(escapeText(action.action))}`,
    escapeText([target === '' ? '' : ` ${target}`, ...facts.map((fact) => ` ${fact}`)].join('')),
    reason === '' ? '' : `: ${escapeText(reason)}`,
    paint.dim(escapeText(` (${from})`)),
  ].join('');
}
