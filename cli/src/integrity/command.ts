import { existsSync, readFileSync } from 'node:fs';
import { OperatorError, paintFor, writeOutput } from '@ringfence/base';
import { sensorObject } from '@ringfence/config';
import { checkIntegrity, type Remembered } from '@ringfence/host-facts';
import { bootId } from '@ringfence/identity/local';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, requireRoot, settingsOf, withReason, withSettings } from '../shared/context.ts';
import { integrityText } from './view.ts';

interface Options {
  readonly json?: boolean;
  readonly save?: string;
  readonly compare?: string;
}

export function addIntegrity(program: Command): void {
  const command = program
    .command('integrity')
    .description(DESCRIPTIONS.integrity)
    .option('--save <file>', 'save the current state of kernel code and settings')
    .option('--compare <file>', 'report what changed since --save wrote this file')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Needs root, but no running agent, and changes nothing. A running agent repeats the checks every
collector.integrity.every and reports findings as events: ringfence events --where 'event.action = integrity'.

Exit code 1 if a check finds something.

Examples:
  ringfence integrity
  ringfence integrity --save /root/clean.json       right after the installation
  ringfence integrity --compare /root/clean.json    at any time later`,
    );
  withSettings(withReason(command)).action((_, self: Command) => {
    // Without root every check would find nothing, which would look like a clean result.
    requireRoot('checking the kernel', 'sudo ringfence integrity');
    const config = settingsOf(self);
    const { json, save, compare } = self.opts<Options>();
    const { checks, remembered } = checkIntegrity({
      sensorObject: sensorObject(),
      pinPath: config.sensor.pinPath,
      root: config.collector.hostRoot,
      bootId: bootId(),
      knownPrograms: config.collector.integrity.knownPrograms,
      before: compare === undefined ? undefined : readSaved(compare),
    });
    if (save !== undefined) writeOutput(save, `${JSON.stringify(remembered)}\n`);
    if (json) printJson({ checks }, 2);
    else print(integrityText(checks, paintFor(process.stdout)));
    if (checks.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
  });
}

/** Reads a file of --save. Throws OperatorError if the file does not exist, or --save did not write it. */
function readSaved(file: string): Remembered {
  if (!existsSync(file))
    throw new OperatorError(`${file} does not exist: create it with ringfence integrity --save ${file}`);
  try {
    const { bootId, code, values } = JSON.parse(readFileSync(file, 'utf8')) as Remembered;
    if (typeof bootId === 'string' && typeof code === 'object' && typeof values === 'object')
      return { bootId, code, values };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new OperatorError(`${file} was not written by ringfence integrity --save`);
}
