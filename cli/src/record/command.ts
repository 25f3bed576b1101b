import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { OperatorError, openOutput } from '@ringfence/base';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, settingsOf, withSettings } from '../shared/context.ts';

export function addRecord(program: Command): void {
  const command = program
    .command('record')
    .argument('<file>', 'file to write')
    .description(DESCRIPTIONS.record)
    .option('--seconds <n>', 'stop after this many seconds')
    .option('--past', 'start with the events that are still on the bus')
    .addHelpText(
      'after',
      `
Of log lines, it records only those that the agent read itself. Lines from Filebeat are skipped, because they do not
name their host.

Examples:
  ringfence record attack.rec --seconds 30
  ringfence replay attack.rec`,
    );
  withSettings(command).action(async (file: string, _, self: Command) => {
    const { seconds, past } = self.opts<{ seconds?: string; past?: boolean }>();
    const signals = [untilInterrupted()];
    if (seconds !== undefined) signals.push(AbortSignal.timeout(secondsOf(seconds) * 1000));
    const signal = AbortSignal.any(signals);
    const stream = await clientOf(settingsOf(self)).stream(`/raw${past ? '?past=1' : ''}`, signal);
    const output = createWriteStream(file, { fd: openOutput(file) });
    process.stderr.write(`recording to ${file}; press Ctrl-C to stop\n`);
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
