import { existsSync } from 'node:fs';
import { headsInFile, type PublishedHeads, readHeads, type Verification, verifyAudit } from '@ringfence/auditor';
import { messageOf, OperatorError, paintFor } from '@ringfence/base';
import { openEmbeddedReader } from '@ringfence/bus';
import type { Config } from '@ringfence/config';
import { openDeployment } from '@ringfence/runtime';
import { untilInterrupted } from '@ringfence/runtime/process';
import { createLogger } from '@ringfence/telemetry';
import { TOPIC } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { grouped } from '../shared/numbers.ts';
import { addAuditList } from './list.ts';
import { auditLines } from './view.ts';

interface VerifyOptions {
  readonly bundle?: string;
  readonly root?: string;
  readonly json?: boolean;
  /** `--heads FILE`; false: `--no-heads` */
  readonly heads?: string | false;
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description(DESCRIPTIONS.audit);
  addAuditList(audit);
  const verify = audit
    .command('verify')
    .description('find records of the audit trail that were changed, removed, inserted or cut off')
    .option('--json', 'print one JSON object')
    .option('--bundle <file>', 'verify a file of ringfence incident export instead: it needs no trail and no settings')
    .option('--root <sha256>', 'with --bundle: the fingerprint that the root key of its signature must have')
    .option('--heads <file>', 'also compare with the heads in this file of a syslog server, see auditor.headSyslog')
    .option('--no-heads', 'skip the heads on the bus; a trail that was rewritten up to its end then goes unnoticed')
    .addHelpText(
      'after',
      `
Walks every chain of the configured audit trail and compares it with the heads that auditors signed on
ringfence.audit-heads, with --heads also with those that a syslog server has kept. In a fleet it needs the identity of
an auditor. It changes nothing and may run at any time.

Exit codes: 0 the trail is intact, 1 it is not, or could not be verified.

Examples:
  ringfence audit verify
  ringfence audit verify --config fleet.yaml --json | jq .problems
  ringfence audit verify --heads /mnt/loghost/auth.log
  ringfence audit verify --bundle inc-0123456789abcdef.zip --root 5e884898…`,
    );
  withSettings(verify, '--state-dir').action(async (_, self: Command) => {
    const { json, heads, bundle, root } = self.opts<VerifyOptions>();
    if (bundle !== undefined) return (await import('./bundle.ts')).verifyFile(bundle, root, json);
    if (root !== undefined) throw new OperatorError('--root goes with --bundle', { code: 'ERR_USAGE' });
    const config = settingsOf(self);
    const notedHeads = heads === false ? null : await headsOf(config, heads);
    const found = await verifyAudit(config.auditor, notedHeads ?? NO_HEADS, showProgress);
    clearProgress();
    if (json) printJson({ ...jsonOf(found), headsVerified: notedHeads?.areVerified ?? false }, 2);
    else print(auditLines(paintFor(process.stdout), found, notedHeads, locationOf(config)).join('\n'));
    if (found.problemCount > 0) process.exitCode = 1;
  });
}

const NO_HEADS: PublishedHeads = { heads: [], forged: [], areVerified: false };

/** In JSON the type of a problem has the key `what`. */
const jsonOf = (verification: Verification): object => ({
  ...verification,
  problems: verification.problems.map(({ type, ...problem }) => ({ what: type, ...problem })),
});

/** Reads the heads from the bus and from a file. Returns null if there is no file, and no head on the bus. */
async function headsOf(config: Config, file?: string): Promise<PublishedHeads | null> {
  if (config.bus.driver === 'embedded') {
    const onBus = await headsOnEmbeddedBus(config.bus.embedded.path);
    return file === undefined ? onBus : joined(onBus, await headsIn(file, undefined));
  }
  const signal = untilInterrupted();
  const log = createLogger({ level: 'warn', format: 'auto' });
  const onWaiting = (reason: string | null): void => {
    if (reason !== null) process.stderr.write(`${reason}\n`);
  };
  const options = { config: { ...config, services: ['auditor' as const] }, log, signal, onWaiting };
  await using deployment = await openDeployment(options);
  const keys = deployment.trusted?.('auditor');
  const onBus = await readHeads(deployment.bus.read({ topic: TOPIC.auditHeads, signal }), keys);
  return file === undefined ? onBus : joined(onBus, await headsIn(file, keys));
}

async function headsOnEmbeddedBus(path: string): Promise<PublishedHeads | null> {
  if (!existsSync(path)) return null;
  // The reader takes no lock, because `ringfence up` may be writing.
  await using reader = await openEmbeddedReader({ path });
  if (!reader.topics().includes(TOPIC.auditHeads)) return null;
  return await readHeads(reader.read({ topic: TOPIC.auditHeads }), undefined);
}

/** Throws OperatorError if the file can't be read or has no head: a wrong file would prove nothing. */
async function headsIn(file: string, keys: Parameters<typeof readHeads>[1]): Promise<PublishedHeads> {
  try {
    const found = await readHeads(headsInFile(file), keys);
    if (found.heads.length + found.forged.length > 0) return found;
  } catch (cause) {
    throw new OperatorError(`${file} can't be read: ${messageOf(cause)}`, { cause });
  }
  throw new OperatorError(`${file} has no heads: auditors send them to auditor.headSyslog`);
}

const joined = (onBus: PublishedHeads | null, kept: PublishedHeads): PublishedHeads => ({
  heads: [...(onBus?.heads ?? []), ...kept.heads],
  forged: [...(onBus?.forged ?? []), ...kept.forged],
  areVerified: kept.areVerified && (onBus?.areVerified ?? true),
});

function locationOf({ auditor }: Config): string {
  const { sink, elasticsearch, path } = auditor;
  return sink === 'sqlite' ? path : `${sink} ${elasticsearch.nodes.join(', ')}`;
}

const isTerminal = process.stderr.isTTY;

function showProgress(records: number): void {
  if (isTerminal) process.stderr.write(`\r${grouped(records)} records verified\u001b[K`);
}

function clearProgress(): void {
  if (isTerminal) process.stderr.write('\r\u001b[K');
}
