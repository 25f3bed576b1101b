import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { type BundleVerification, MAX_BUNDLE_BYTES, type ProvedChain, verifyBundle } from '@ringfence/auditor/bundle';
import { messageOf, OperatorError, type Paint, paintFor } from '@ringfence/base';
import { escapeText } from '@ringfence/wire';
import { print, printJson } from '../shared/context.ts';
import { counted } from '../shared/numbers.ts';

/** Verifies a bundle on a machine that has nothing else, and sets the exit code. Throws OperatorError. */
export function verifyFile(file: string, root?: string, json?: boolean): void {
  if (root !== undefined && !/^[0-9a-f]{64}$/i.test(root))
    throw new OperatorError('--root: expected a SHA-256 in hex, as audit verify --bundle prints it');
  const found = verifyBundle(readBundle(file), root);
  if (json) printJson({ ...found, isIntact: found.problemCount === 0 }, 2);
  else print(bundleLines(paintFor(process.stdout), file, found, root !== undefined).join('\n'));
  if (found.problemCount > 0) process.exitCode = 1;
}

function readBundle(file: string): Buffer {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size } = fstatSync(fd);
      if (size > MAX_BUNDLE_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_BUNDLE_BYTES}`);
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new OperatorError(`${file} can't be read: ${messageOf(cause)}`, { cause });
  }
}

const PROOFS = {
  signed: 'up to a head that an auditor signed',
  published: 'up to a published head, unsigned as in one process',
  bundle: 'by the signature of the bundle alone',
} as const;

export function bundleLines(paint: Paint, file: string, found: BundleVerification, isPinned: boolean): string[] {
  const { problems, problemCount, manifest, root, signer, records, chains } = found;
  const lines = [
    `${paint.bold(escapeText(file))}: ${counted(records, 'record')} in ${counted(chains.length, 'chain')}`,
  ];
  if (manifest !== null) {
    const { incident, createdAt, createdBy, omitted } = manifest;
    const at = Number.isFinite(createdAt) && Math.abs(createdAt) < 8.64e15 ? new Date(createdAt).toISOString() : '?';
    lines.push(escapeText(`incident ${incident}, exported on ${createdBy?.hostname} at ${at}`));
    if (omitted > 0) lines.push(`${counted(omitted, 'record')} left out for their number or size`);
  }
  if (root !== null) {
    lines.push(`signed by ${signer === '' ? 'the root key itself' : escapeText(signer)}; root key ${root}`);
    if (!isPinned) lines.push('compare the root key with the one that you know, or give it with --root');
  }
  // A chain has several parts where its records of the incident are far apart.
  for (const parts of Map.groupBy(chains, ({ name, upTo }) => `${name} ${upTo}`).values()) {
    const count = parts.reduce((sum, part) => sum + part.records, 0);
    const [{ name, upTo }] = parts as [ProvedChain];
    lines.push(`chain ${escapeText(name)}: ${counted(count, 'record')}, linked ${PROOFS[upTo]}`);
  }
  for (const { where, what } of problems)
    lines.push(`${paint.red('problem')}  ${escapeText(where)}: ${escapeText(what)}`);
  if (problemCount > problems.length) lines.push(`… and ${counted(problemCount - problems.length, 'more problem')}`);
  lines.push(
    problemCount === 0
      ? paint.green('the bundle is intact')
      : paint.red(`the bundle is not intact: ${counted(problemCount, 'problem')}`),
  );
  return lines;
}
