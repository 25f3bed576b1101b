import type { Command } from 'commander';
import type { CommandName } from './descriptions.ts';

type Usage = CommandName | `${CommandName} ${string}`;

/** A module that adds one or more commands. */
export interface CommandModule {
  /** The commands with their arguments, as `ringfence --help` lists them without loading the module. */
  readonly usages: readonly Usage[];
  readonly load: () => Promise<(program: Command) => void>;
}

export const COMMANDS: readonly CommandModule[] = [
  { usages: ['up [options]'], load: async () => (await import('./up/command.ts')).addUp },
  { usages: ['demo [options]'], load: async () => (await import('./demo/command.ts')).addDemo },
  { usages: ['doctor [options]'], load: async () => (await import('./doctor/command.ts')).addDoctor },
  { usages: ['fim'], load: async () => (await import('./fim/command.ts')).addFim },
  { usages: ['integrity [options]'], load: async () => (await import('./integrity/command.ts')).addIntegrity },
  { usages: ['inventory [options]'], load: async () => (await import('./inventory/command.ts')).addInventory },
  { usages: ['posture [options]'], load: async () => (await import('./posture/command.ts')).addPosture },
  { usages: ['status [options]'], load: async () => (await import('./status/command.ts')).addStatus },
  { usages: ['stats [options]'], load: async () => (await import('./stats/command.ts')).addStats },
  {
    usages: ['events [options]', 'alerts [options]', 'incidents [options]'],
    load: async () => (await import('./lists/command.ts')).addLists,
  },
  { usages: ['incident'], load: async () => (await import('./incident/command.ts')).addIncident },
  { usages: ['respond'], load: async () => (await import('./respond/command.ts')).addRespond },
  { usages: ['playbooks'], load: async () => (await import('./playbooks/command.ts')).addPlaybooks },
  { usages: ['audit'], load: async () => (await import('./audit/command.ts')).addAudit },
  { usages: ['sinks'], load: async () => (await import('./sinks/command.ts')).addSinks },
  { usages: ['kibana'], load: async () => (await import('./kibana/command.ts')).addKibana },
  { usages: ['record [options] <file>'], load: async () => (await import('./record/command.ts')).addRecord },
  { usages: ['rules'], load: async () => (await import('./rules/command.ts')).addRules },
  { usages: ['replay [options] <file>'], load: async () => (await import('./replay/command.ts')).addReplay },
  { usages: ['trace [options] [command...]'], load: async () => (await import('./trace/command.ts')).addTrace },
  { usages: ['probes'], load: async () => (await import('./probes/command.ts')).addProbes },
  { usages: ['config'], load: async () => (await import('./config/command.ts')).addConfig },
  { usages: ['topics'], load: async () => (await import('./topics/command.ts')).addTopics },
  { usages: ['topology [options]'], load: async () => (await import('./topology/command.ts')).addTopology },
  { usages: ['authority'], load: async () => (await import('./authority/command.ts')).addAuthority },
  {
    usages: ['token [options]', 'revoke [options] <subject>', 'enrol [options]'],
    load: async () => (await import('./enrol/command.ts')).addEnrol,
  },
  { usages: ['dev'], load: async () => (await import('./dev/command.ts')).addDev },
  { usages: ['completion <shell>'], load: async () => (await import('./completion/command.ts')).addCompletion },
];

/** Returns the name of a command with those of its parents: `incident show`. */
export function commandPath(command: Command): string {
  const { parent } = command;
  return parent === null ? '' : `${commandPath(parent)} ${command.name()}`.trim();
}

export const nameOf = (usage: Usage): CommandName => usage.split(' ')[0] as CommandName;
