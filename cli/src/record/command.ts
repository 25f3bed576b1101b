import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { OperatorError, openOutput } from '@ringfence/base';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { actionClientOf, repeatable, withReason, withSettings } from '../shared/context.ts';
import { pastTimeMs } from '../shared/times.ts';

interface RangeOptions {
  readonly past?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly host?: readonly string[];
}

interface RecordOptions extends RangeOptions {
  readonly seconds?: string;
}

export function addRecord(program: Command): void {
  const command = program
    .command('record')
    .argument('<file>', 'file to write')
    .description(DESCRIPTIONS.record)
    .option('--seconds <n>', 'stop after this many seconds')
    .option('--past', 'start with the events that are still on the bus')
    .option('--since <time>', 'start with the events of this time: 2026-11-30T12:00:00Z, or 30s, 10m, 2h, 1d ago')
    .option('--until <time>', 'stop at the events of this past time; now: at those that are on the bus')
    .option('--host <id>', 'record only this host (repeatable; default: all hosts)', repeatable)
    .addHelpText(
      'after',
      `
Of log lines, it records only those that the agent read itself. Lines from Filebeat are skipped, because they do not
name their host. In a fleet, run it on a machine with an enricher; reports are kept for topics.raw.retention.

Examples:
  ringfence record attack.rec --seconds 30
  ringfence record night.rec --since 2026-11-30T22:00:00Z --until 2h
  ringfence replay attack.rec`,
    );
  withSettings(withReason(command)).action(async (file: string, _, self: Command) => {
    const { seconds, ...range } = self.opts<RecordOptions>();
    const signals = [untilInterrupted()];
    if (seconds !== undefined) signals.push(AbortSignal.timeout(secondsOf(seconds) * 1000));
    const signal = AbortSignal.any(signals);
    const stream = await actionClientOf(self).stream(`/raw?${queryOf(range)}`, signal);
    const output = createWriteStream(file, { fd: openOutput(file) });
    process.stderr.write(`recording to ${file}${range.until === undefined ? '; press Ctrl-C to stop' : ''}\n`);
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    try {
      await pipeline(stream, output);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    process.stderr.write(`${file}: ${(bytes / 1024).toFixed(0)} KiB\n`);
  });
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new OperatorError(`--seconds ${text}: expected a number above 0`);
  return seconds;
}

function queryOf({ past = false, since, until, host = [] }: RangeOptions): URLSearchParams {
  const query = new URLSearchParams(host.map((id): [string, string] => ['host', id]));
  if (past) query.set('past', '1');
  if (since !== undefined) query.set('from', String(pastTimeMs('--since', since) * 1000));
  if (until !== undefined) query.set('until', String(pastTimeMs('--until', until) * 1000));
  return query;
}
