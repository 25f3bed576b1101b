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
    .argument('<file>', 'where the recording goes')
    .description(DESCRIPTIONS.record)
    .option('--seconds <n>', 'stop after this long')
    .option('--past', 'begin with what the bus still holds')
    .addHelpText(
      'after',
      `
Of logs only lines that the agent has read itself are taken. What a Filebeat sends is left out: it says nowhere of which host it is.

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
    process.stderr.write(`recording to ${file}; Ctrl-C stops\n`);
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
