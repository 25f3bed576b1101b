import type { Command } from 'commander';

/** A module of commands. */
export interface CommandModule {
  /** Its commands as the list of all shows them, for which no module is loaded: usage, and what they do. */
  readonly shown: readonly (readonly [usage: string, description: string])[];
  readonly load: () => Promise<(program: Command) => void>;
}

export const COMMANDS: readonly CommandModule[] = [
  {
    shown: [['up [options]', 'watch this machine: run the services (all of them, or --only some) until Ctrl-C']],
    load: async () => (await import('./commands/up.ts')).addUp,
  },
  {
    shown: [['demo [options]', 'play a small attack in a sandbox of its own, and show what Ringfence makes of it']],
    load: async () => (await import('./commands/demo.ts')).addDemo,
  },
  {
    shown: [
      [
        'doctor [options]',
        'say what this machine can do, in a fleet which servers answer, what each missing thing costs, and how to mend it',
      ],
    ],
    load: async () => (await import('./commands/doctor.ts')).addDoctor,
  },
  {
    shown: [
      ['fim', 'remember what files are like, and tell later what has changed: content, owner, mode, capabilities'],
    ],
    load: async () => (await import('./commands/fim.ts')).addFim,
  },
  {
    shown: [
      [
        'integrity [options]',
        'look whether the kernel and what it starts are as they should be: hooks, hidden modules and processes, helpers',
      ],
    ],
    load: async () => (await import('./commands/integrity.ts')).addIntegrity,
  },
  {
    shown: [
      [
        'inventory [options]',
        'list what runs now: processes with their open sockets, containers, mounts, as the kernel has them',
      ],
    ],
    load: async () => (await import('./commands/inventory.ts')).addInventory,
  },
  {
    shown: [
      [
        'posture [options]',
        'say what each running container could do to the host, and the flags to start it with instead',
      ],
    ],
    load: async () => (await import('./commands/posture.ts')).addPosture,
  },
  {
    shown: [['status [options]', 'how a running ringfence does: rates, lag, drops by cause']],
    load: async () => (await import('./commands/status.ts')).addStatus,
  },
  {
    shown: [
      [
        'stats [options]',
        'where every event went: seen, filtered, merged, throttled, lost, sent, spooled, delivered; and which hosts filter with what',
      ],
    ],
    load: async () => (await import('./commands/stats.ts')).addStats,
  },
  {
    shown: [
      ['events [options]', 'events as they were enriched, newest last'],
      ['alerts [options]', 'alerts, newest last'],
      ['incidents [options]', 'incidents, newest last'],
    ],
    load: async () => (await import('./commands/list.ts')).addLists,
  },
  {
    shown: [['incident', 'look at one incident, and say what it is']],
    load: async () => (await import('./commands/incident.ts')).addIncident,
  },
  {
    shown: [['audit', 'the audit trail']],
    load: async () => (await import('./commands/audit.ts')).addAudit,
  },
  {
    shown: [
      [
        'record [options] <file>',
        'write the raw stream of this host and the lines of its logs to a file, until Ctrl-C; ringfence replay plays it',
      ],
    ],
    load: async () => (await import('./commands/record.ts')).addRecord,
  },
  {
    shown: [['rules', 'check, test, explain, convert, draw, measure and begin detection rules']],
    load: async () => (await import('./commands/rules.ts')).addRules,
  },
  {
    shown: [
      [
        'replay [options] <file>',
        'play a recorded raw stream through the same pipeline, from empty state; the same file gives the same ids and bytes',
      ],
    ],
    load: async () => (await import('./commands/replay.ts')).addReplay,
  },
  {
    shown: [
      [
        'trace [options] [command...]',
        'show the system calls of a command, a process, a cgroup or a container, as they happen',
      ],
    ],
    load: async () => (await import('./commands/trace.ts')).addTrace,
  },
  {
    shown: [
      ['probes', 'probes of your own, in functions, USDT and tracepoints: those that are set, and what could be'],
    ],
    load: async () => (await import('./commands/probes.ts')).addProbes,
  },
  {
    shown: [['config', 'look at the settings']],
    load: async () => (await import('./commands/config.ts')).addConfig,
  },
  {
    shown: [['topics', 'topics, access lists and schemas of a fleet on Kafka']],
    load: async () => (await import('./commands/topics.ts')).addTopics,
  },
  {
    shown: [['topology [options]', 'the services of a fleet as its brokers see them: members, partitions, lag']],
    load: async () => (await import('./commands/topology.ts')).addTopology,
  },
  {
    shown: [['authority', 'the certificate authority of a fleet, on the machine that keeps it']],
    load: async () => (await import('./commands/authority.ts')).addAuthority,
  },
  {
    shown: [
      [
        'token [options]',
        'a one-time token with which an agent or a service enrols; asked of the registrar that runs here',
      ],
      [
        'revoke [options] <subject>',
        'take back all keys and certificates of a host or a service; asked of the registrar that runs here',
      ],
      ['enrol [options]', 'become a member of a fleet: keys are made here, certificates come from the registrar'],
    ],
    load: async () => (await import('./commands/enrol.ts')).addEnrol,
  },
  {
    shown: [['dev', 'for those who build and try out']],
    load: async () => (await import('./commands/dev.ts')).addDev,
  },
  {
    shown: [['completion <shell>', 'print a script that completes commands and options']],
    load: async () => (await import('./commands/completion.ts')).addCompletion,
  },
];

export const nameOf = (usage: string): string => usage.split(' ')[0]!;
