import { existsSync } from 'node:fs';
import { type NotedHeads, readHeads, type Verification, verifyAudit } from '@ringfence/auditor';
import { paintFor } from '@ringfence/base';
import { openEmbeddedReader } from '@ringfence/bus';
import type { Config } from '@ringfence/config';
import { openDeployment } from '@ringfence/runtime';
import { untilInterrupted } from '@ringfence/runtime/process';
import { TOPIC } from '@ringfence/schema';
import { createLogger } from '@ringfence/telemetry';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { grouped } from '../shared/grouped.ts';
import { auditLines } from './view.ts';

interface VerifyOptions {
  readonly json?: boolean;
  /** `--no-heads` */
  readonly heads: boolean;
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description(DESCRIPTIONS.audit);
  const verify = audit
    .command('verify')
    .description('find what was changed, taken out, put in or cut off in the audit trail')
    .option('--json', 'print one JSON object')
    .option(
      '--no-heads',
      'leave out the heads on the bus: a trail that was rewritten from some place on is then not told',
    )
    .addHelpText(
      'after',
      '\nWalks every chain of the trail that the settings name, and holds it against the heads that auditors signed on ringfence.audit-heads.\nIn a fleet it takes the identity of an auditor. Nothing is changed; it may run while the trail is written.\nExit code 0 when the trail is whole, 1 when it is not, or when that could not be told.\n\nExamples:\n  ringfence audit verify\n  ringfence audit verify --config fleet.yaml --json | jq .problems',
    );
  withSettings(verify, '--state-dir').action(async (_, self: Command) => {
    const { json, heads } = self.opts<VerifyOptions>();
    const config = settingsOf(self);
    const noted = heads ? await headsOnBus(config) : null;
    const found = await verifyAudit(config.auditor, noted ?? NONE, showProgress);
    clearProgress();
    if (json) printJson({ ...found, headsVerified: noted?.areVerified ?? false }, 2);
    else print(auditLines(paintFor(process.stdout), found, noted, placeOf(config)).join('\n'));
    if (!isWhole(found)) process.exitCode = 1;
  });
}

const NONE: NotedHeads = { heads: [], forged: [], areVerified: false };

const isWhole = ({ problemCount }: Verification): boolean => problemCount === 0;

/** null: there is no bus on this machine. */
async function headsOnBus(config: Config): Promise<NotedHeads | null> {
  if (config.bus.driver === 'embedded') {
    const { path } = config.bus.embedded;
    if (!existsSync(path)) return null;
    // Takes no lock: `ringfence up` may be writing.
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

function placeOf({ auditor }: Config): string {
  const { sink, elasticsearch, path } = auditor;
  return sink === 'sqlite' ? path : `${sink} ${elasticsearch.nodes.join(', ')}`;
}

const isWatched = process.stderr.isTTY;

function showProgress(records: number): void {
  if (isWatched) process.stderr.write(`\r${grouped(records)} records verified\u001b[K`);
}

function clearProgress(): void {
  if (isWatched) process.stderr.write('\r\u001b[K');
}
