#!/usr/bin/env node
import type { Command } from 'commander';
import { COMMANDS, nameOf } from './commands.ts';
import { DESCRIPTIONS } from './descriptions.ts';
import { HelpfulCommand } from './help.ts';
import { leave } from './leave.ts';
import { VERSION } from './version.ts';

const program: Command = new HelpfulCommand('ringfence')
  .description(
    'Watches Linux from inside the kernel, joins what it sees into attack chains, and stops the right process.',
  )
  .version(VERSION)
  // Beside the names of some commands little room is left on a terminal of 80 columns.
  .configureHelp({ minWidthToWrap: 20 })
  .addHelpText(
    'after',
    `
Exit codes: 0 all is well, 1 something is wrong and the message says what, 2 the command was not understood; topics, topology and trace have theirs.

Start here:
  ringfence doctor     what this machine can do
  ringfence up         watch it
  ringfence demo       play an attack and see what comes of it`,
  );
// Before the commands are added: they inherit it.
program.exitOverride((error) => {
  process.exit(error.exitCode === 0 ? 0 : 2);
});
/**
 * The commands that were asked for: what others need costs each start a second and 100 MB, so of them there are only names. Any word may be the command
 * (`help rules`, an option before it); one more that is loaded does no harm.
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
  const { explain } = await import('./explain.ts');
  process.stderr.write(`ringfence: ${explain(error)}\n`);
  process.exitCode = error instanceof Error && 'code' in error && error.code === 'ERR_USAGE' ? 2 : 1;
}
await leave();
