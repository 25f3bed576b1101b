/** What each command does, for its own help and for the list of all, which loads none. */
export const DESCRIPTIONS = {
  up: 'watch this machine: run the services (all of them, or --only some) until Ctrl-C',
  demo: 'play a small attack in a sandbox of its own, and show what Ringfence makes of it',
  doctor:
    'say what this machine can do, in a fleet which servers answer, what each missing thing costs, and how to mend it',
  fim: 'remember what files are like, and tell later what has changed: content, owner, mode, capabilities',
  integrity:
    'look whether the kernel and what it starts are as they should be: hooks, hidden modules and processes, helpers',
  inventory: 'list what runs now: processes with their open sockets, containers, mounts, as the kernel has them',
  posture: 'say what each running container could do to the host, and the flags to start it with instead',
  status: 'how a running ringfence does: rates, lag, drops by cause',
  stats:
    'where every event went: seen, filtered, merged, throttled, lost, sent, spooled, delivered; and which hosts filter with what',
  events: 'events as they were enriched, newest last',
  alerts: 'alerts, newest last',
  incidents: 'incidents, newest last',
  incident: 'look at one incident, and say what it is',
  audit: 'the audit trail',
  record:
    'write the raw stream of this host and the lines of its logs to a file, until Ctrl-C; ringfence replay plays it',
  rules: 'check, test, explain, convert, draw, measure and begin detection rules',
  replay:
    'play a recorded raw stream through the same pipeline, from empty state; the same file gives the same ids and bytes',
  trace: 'show the system calls of a command, a process, a cgroup or a container, as they happen',
  probes: 'probes of your own, in functions, USDT and tracepoints: those that are set, and what could be',
  config: 'look at the settings',
  topics: 'topics, access lists and schemas of a fleet on Kafka',
  topology: 'the services of a fleet as its brokers see them: members, partitions, lag',
  authority: 'the certificate authority of a fleet, on the machine that keeps it',
  token: 'a one-time token with which an agent or a service enrols; asked of the registrar that runs here',
  revoke: 'take back all keys and certificates of a host or a service; asked of the registrar that runs here',
  enrol: 'become a member of a fleet: keys are made here, certificates come from the registrar',
  dev: 'for those who build and try out',
  completion: 'print a script that completes commands and options',
} as const;

export type CommandName = keyof typeof DESCRIPTIONS;
