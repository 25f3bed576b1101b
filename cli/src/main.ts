#!/usr/bin/env node
import { VERSION } from '@ringfence/base';
import { exitAfterFlush } from '@ringfence/runtime/process';
import type { Command } from 'commander';
import { ACTIONS } from './actions.ts';
import { COMMANDS, commandPath, nameOf } from './commands.ts';
import { DESCRIPTIONS } from './descriptions.ts';
import { HelpfulCommand } from './help.ts';

const program: Command = new HelpfulCommand('ringfence')
  .description(
    'Watches Linux from inside the kernel, correlates suspicious events into attack chains, and can kill the attacker.',
  )
  .version(VERSION)
  // Wrap descriptions even in a narrow column: long command names leave little room on a terminal of 80 columns.
  .configureHelp({ minWidthToWrap: 20 })
  .addHelpText(
    'after',
    `
Exit codes: 0 success, 1 a problem that the output describes, 2 invalid arguments.
topics, topology, kibana plan and trace document their own.

Start here:
  ringfence doctor     check what this machine supports
  ringfence up         watch this machine
  ringfence demo       play an attack and show the incident`,
  );
program.hook('preAction', async (_, command) => {
  const recording = ACTIONS[commandPath(command)];
  if (typeof recording === 'object') await (await import('./shared/record-action.ts')).recordAction(command, recording);
});
// Commands inherit this handler, so it is set before they are added.
program.exitOverride((error) => {
  process.exit(error.exitCode === 0 ? 0 : 2);
});

/**
 * Loads the commands that the arguments name and adds all others by name only: loading every command takes a second
 * and 100 MB. Any argument may be the command (`help rules`, or an option in front); loading one too many is harmless.
 */
async function addCommands(words: readonly string[]): Promise<void> {
  if (words[0] === '--version' || words[0] === '-V') return;
  for (const { usages, load } of COMMANDS) {
    if (words.includes('completion') || usages.some((usage) => words.includes(nameOf(usage)))) (await load())(program);
    else for (const usage of usages) program.command(usage).description(DESCRIPTIONS[nameOf(usage)]);
  }
}

try {
  await addCommands(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  const { explainError } = await import('@ringfence/runtime/process');
  process.stderr.write(`ringfence: ${explainError(error)}
`);
  process.exitCode = error instanceof Error && 'code' in error && error.code === 'ERR_USAGE' ? 2 : 1;
}
await exitAfterFlush();
