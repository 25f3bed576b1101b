import type { Command } from 'commander';
import type { CommandName } from './descriptions.ts';

type Usage = CommandName | `${CommandName} ${string}`;

/** A module of commands. */
export interface CommandModule {
  /** How its commands are called, as the list of all shows them, for which no module is loaded. */
  readonly usages: readonly Usage[];
  readonly load: () => Promise<(program: Command) => void>;
}

export const COMMANDS: readonly CommandModule[] = [
  { usages: ['up [options]'], load: async () => (await import('./commands/up.ts')).addUp },
  { usages: ['demo [options]'], load: async () => (await import('./commands/demo.ts')).addDemo },
  { usages: ['doctor [options]'], load: async () => (await import('./commands/doctor.ts')).addDoctor },
  { usages: ['fim'], load: async () => (await import('./commands/fim.ts')).addFim },
  { usages: ['integrity [options]'], load: async () => (await import('./commands/integrity.ts')).addIntegrity },
  { usages: ['inventory [options]'], load: async () => (await import('./commands/inventory.ts')).addInventory },
  { usages: ['posture [options]'], load: async () => (await import('./commands/posture.ts')).addPosture },
  { usages: ['status [options]'], load: async () => (await import('./commands/status.ts')).addStatus },
  { usages: ['stats [options]'], load: async () => (await import('./commands/stats.ts')).addStats },
  {
    usages: ['events [options]', 'alerts [options]', 'incidents [options]'],
    load: async () => (await import('./commands/list.ts')).addLists,
  },
  { usages: ['incident'], load: async () => (await import('./commands/incident.ts')).addIncident },
  { usages: ['audit'], load: async () => (await import('./commands/audit.ts')).addAudit },
  { usages: ['record [options] <file>'], load: async () => (await import('./commands/record.ts')).addRecord },
  { usages: ['rules'], load: async () => (await import('./commands/rules.ts')).addRules },
  { usages: ['replay [options] <file>'], load: async () => (await import('./commands/replay.ts')).addReplay },
  { usages: ['trace [options] [command...]'], load: async () => (await import('./commands/trace.ts')).addTrace },
  { usages: ['probes'], load: async () => (await import('./commands/probes.ts')).addProbes },
  { usages: ['config'], load: async () => (await import('./commands/config.ts')).addConfig },
  { usages: ['topics'], load: async () => (await import('./commands/topics.ts')).addTopics },
  { usages: ['topology [options]'], load: async () => (await import('./commands/topology.ts')).addTopology },
  { usages: ['authority'], load: async () => (await import('./commands/authority.ts')).addAuthority },
  {
    usages: ['token [options]', 'revoke [options] <subject>', 'enrol [options]'],
    load: async () => (await import('./commands/enrol.ts')).addEnrol,
  },
  { usages: ['dev'], load: async () => (await import('./commands/dev.ts')).addDev },
  { usages: ['completion <shell>'], load: async () => (await import('./commands/completion.ts')).addCompletion },
];

export const nameOf = (usage: Usage): CommandName => usage.split(' ')[0] as CommandName;
