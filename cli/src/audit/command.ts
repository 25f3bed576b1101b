import { existsSync } from 'node:fs';
import { type PublishedHeads, readHeads, type Verification, verifyAudit } from '@ringfence/auditor';
import { OperatorError, paintFor } from '@ringfence/base';
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
  /** `--no-heads` */
  readonly heads: boolean;
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
    .option('--no-heads', 'skip the heads on the bus; a trail that was rewritten up to its end then goes unnoticed')
    .addHelpText(
      'after',
      `
Walks every chain of the configured audit trail and compares it with the heads that auditors signed on
ringfence.audit-heads. In a fleet it needs the identity of an auditor. It changes nothing and may run at any time.

Exit codes: 0 the trail is intact, 1 it is not, or could not be verified.

Examples:
  ringfence audit verify
  ringfence audit verify --config fleet.yaml --json | jq .problems
  ringfence audit verify --bundle inc-0123456789abcdef.zip --root 5e884898…`,
    );
  withSettings(verify, '--state-dir').action(async (_, self: Command) => {
    const { json, heads, bundle, root } = self.opts<VerifyOptions>();
    if (bundle !== undefined) return (await import('./bundle.ts')).verifyFile(bundle, root, json);
    if (root !== undefined) throw new OperatorError('--root goes with --bundle', { code: 'ERR_USAGE' });
    const config = settingsOf(self);
    const notedHeads = heads ? await headsOnBus(config) : null;
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

/** Reads the heads from the bus. Returns null if this machine has no embedded bus, or no heads on it. */
async function headsOnBus(config: Config): Promise<PublishedHeads | null> {
  if (config.bus.driver === 'embedded') {
    const { path } = config.bus.embedded;
    if (!existsSync(path)) return null;
    // The reader takes no lock, because `ringfence up` may be writing.
    await using reader = await openEmbeddedReader({ path });
    if (!reader.topics().includes(TOPIC.auditHeads)) return null;
    return await readHeads(reader.read({ topic: TOPIC.auditHeads }), undefined);
  }
  const signal = untilInterrupted();
  const log = createLogger({ level: 'warn', format: 'auto' });
  const onWaiting = (reason: string | null): void => {
    if (reason !== null) process.stderr.write(`${reason}\n`);
  };
  const options = { config: { ...config, services: ['auditor' as const] }, log, signal, onWaiting };
  await using deployment = await openDeployment(options);
  return await readHeads(deployment.bus.read({ topic: TOPIC.auditHeads, signal }), deployment.trusted?.('auditor'));
}

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
