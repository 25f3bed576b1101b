#!/usr/bin/env node
import { ConfigError } from '@ringfence/config';
import { Command } from 'commander';
import { addAudit } from './commands/audit.ts';
import { addAuthority } from './commands/authority.ts';
import { addCompletion } from './commands/completion.ts';
import { addConfig } from './commands/config.ts';
import { addDemo } from './commands/demo.ts';
import { addDev } from './commands/dev.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEnrol } from './commands/enrol.ts';
import { addIncident } from './commands/incident.ts';
import { addLists } from './commands/list.ts';
import { addRecord } from './commands/record.ts';
import { addReplay } from './commands/replay.ts';
import { addStatus } from './commands/status.ts';
import { addTopics } from './commands/topics.ts';
import { addTopology } from './commands/topology.ts';
import { addUp } from './commands/up.ts';
import { VERSION } from './version.ts';

const program = new Command('ringfence')
  .description(
    'Watches Linux from inside the kernel, joins what it sees into attack chains, and stops the right process.',
  )
  .version(VERSION)
  .showHelpAfterError('(ringfence --help lists the commands)')
  .addHelpText(
    'after',
    `
Exit codes: 0 all is well, 1 something is wrong and the message says what, 2 the command was not understood.

Start here:
  ringfence doctor     what this machine can do
  ringfence up         watch it
  ringfence demo       play an attack and see what comes of it`,
  );
// Before the commands are added: they inherit it.
program.exitOverride((error) => {
  process.exit(error.exitCode === 0 ? 0 : 2);
});
for (const add of [
  addUp,
  addDemo,
  addDoctor,
  addStatus,
  addLists,
  addIncident,
  addAudit,
  addRecord,
  addReplay,
  addConfig,
  addTopics,
  addTopology,
  addAuthority,
  addEnrol,
  addDev,
  addCompletion,
])
  add(program);
/** Errors with a code, and what the system refused, are told in their own words; anything else is a bug and shows where. */
function explain(error: unknown): string {
  // What went wrong first, not what cleaning up then ran into.
  if (error instanceof SuppressedError) return explain(error.suppressed);
  if (error instanceof ConfigError) return error.message;
  if (error instanceof Error && error.name === 'AbortError') return 'interrupted';
  if (error instanceof Error && 'code' in error && ('syscall' in error || String(error.code).startsWith('ERR_')))
    return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`ringfence: ${explain(error)}\n`);
  process.exitCode = 1;
}
