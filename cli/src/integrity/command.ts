import { existsSync, readFileSync } from 'node:fs';
import { OperatorError, paintFor, writeOutput } from '@ringfence/base';
import { checkIntegrity, type Remembered } from '@ringfence/collector';
import { sensorObject } from '@ringfence/config';
import { bootId } from '@ringfence/identity/local';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { needRoot, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
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
    .option('--save <file>', 'remember what code and settings look like now')
    .option('--compare <file>', 'tell what has changed since that was saved')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Needs root; nothing is changed, and no agent has to run. A running agent looks by itself every collector.integrity.every, and
what it finds are events: ringfence events --where 'event.action = integrity'.

Exit code 1 when something was found.

Examples:
  ringfence integrity
  ringfence integrity --save /root/clean.json       right after the installation
  ringfence integrity --compare /root/clean.json    at any time later`,
    );
  withSettings(command).action((_, self: Command) => {
    // Whoever may not look finds nothing, which is not what was asked.
    needRoot('looking at the kernel', 'sudo ringfence integrity');
    const config = settingsOf(self);
    const { json, save, compare } = self.opts<Options>();
    const { checks, remembered } = checkIntegrity({
      sensorObject: sensorObject(),
      pinPath: config.sensor.pinPath,
      root: config.collector.hostRoot,
      bootId: bootId(),
      knownPrograms: config.collector.integrity.knownPrograms,
      before: compare === undefined ? undefined : recall(compare),
    });
    if (save !== undefined) writeOutput(save, `${JSON.stringify(remembered)}\n`);
    if (json) printJson({ checks }, 2);
    else print(integrityText(checks, paintFor(process.stdout)));
    if (checks.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
  });
}

/** Throws OperatorError when it isn't what --save has written. */
function recall(file: string): Remembered {
  if (!existsSync(file))
    throw new OperatorError(`${file} is not there: make it with ringfence integrity --save ${file}`);
  try {
    const { bootId, code, values } = JSON.parse(readFileSync(file, 'utf8')) as Remembered;
    if (typeof bootId === 'string' && typeof code === 'object' && typeof values === 'object')
      return { bootId, code, values };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new OperatorError(`${file} is not what ringfence integrity --save writes`);
}
