#!/usr/bin/env node
import { Command } from 'commander';
import { explain } from './explain.ts';
import { leave } from './leave.ts';
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
/** Where each command is made. */
const COMMANDS: readonly {
  readonly names: readonly string[];
  readonly load: () => Promise<(program: Command) => void>;
}[] = [
  { names: ['up'], load: async () => (await import('./commands/up.ts')).addUp },
  { names: ['demo'], load: async () => (await import('./commands/demo.ts')).addDemo },
  { names: ['doctor'], load: async () => (await import('./commands/doctor.ts')).addDoctor },
  { names: ['fim'], load: async () => (await import('./commands/fim.ts')).addFim },
  { names: ['integrity'], load: async () => (await import('./commands/integrity.ts')).addIntegrity },
  { names: ['inventory'], load: async () => (await import('./commands/inventory.ts')).addInventory },
  { names: ['posture'], load: async () => (await import('./commands/posture.ts')).addPosture },
  { names: ['status'], load: async () => (await import('./commands/status.ts')).addStatus },
  { names: ['stats'], load: async () => (await import('./commands/stats.ts')).addStats },
  { names: ['events', 'alerts', 'incidents'], load: async () => (await import('./commands/list.ts')).addLists },
  { names: ['incident'], load: async () => (await import('./commands/incident.ts')).addIncident },
  { names: ['audit'], load: async () => (await import('./commands/audit.ts')).addAudit },
  { names: ['record'], load: async () => (await import('./commands/record.ts')).addRecord },
  { names: ['rules'], load: async () => (await import('./commands/rules.ts')).addRules },
  { names: ['replay'], load: async () => (await import('./commands/replay.ts')).addReplay },
  { names: ['trace'], load: async () => (await import('./commands/trace.ts')).addTrace },
  { names: ['probes'], load: async () => (await import('./commands/probes.ts')).addProbes },
  { names: ['config'], load: async () => (await import('./commands/config.ts')).addConfig },
  { names: ['topics'], load: async () => (await import('./commands/topics.ts')).addTopics },
  { names: ['topology'], load: async () => (await import('./commands/topology.ts')).addTopology },
  { names: ['authority'], load: async () => (await import('./commands/authority.ts')).addAuthority },
  { names: ['token', 'revoke', 'enrol'], load: async () => (await import('./commands/enrol.ts')).addEnrol },
  { names: ['dev'], load: async () => (await import('./commands/dev.ts')).addDev },
  { names: ['completion'], load: async () => (await import('./commands/completion.ts')).addCompletion },
];

/** The command that was asked for alone: what others need costs each start a second and 100 MB. All of them, where it is none. */
async function addCommands(asked: string | undefined): Promise<void> {
  if (asked === '--version' || asked === '-V') return;
  const named = COMMANDS.filter(({ names }) => names.includes(asked ?? '') && asked !== 'completion');
  for (const { load } of named.length > 0 ? named : COMMANDS) (await load())(program);
}

try {
  await addCommands(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`ringfence: ${explain(error)}\n`);
  process.exitCode = 1;
}
await leave();
