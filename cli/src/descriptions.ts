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
  status: 'show how a running ringfence is doing: rates, lag, drops by cause',
  stats:
    'show where every event went: seen, filtered, merged, throttled, lost, sent, spooled, delivered; and which hosts filter with what',
  events: 'list events with their process, user and container, newest last',
  alerts: 'list alerts, newest last',
  incidents: 'list incidents, newest last',
  incident: 'show one incident, set its state, or write exceptions for its rules',
  audit: 'verify the audit trail',
  record:
    'write the raw stream of this host and the lines of its logs to a file, until Ctrl-C; ringfence replay plays it',
  rules: 'write, check, test, explain, measure and convert detection rules',
  replay:
    'play a recorded raw stream through the same pipeline, from empty state; the same file gives the same ids and bytes',
  trace: 'show the system calls of a command, a process, a cgroup or a container, as they happen',
  probes: 'list and check probes of your own in functions, USDT and tracepoints',
  config: 'show the settings in force',
  topics: 'compare or set up the topics, access lists and schemas of a fleet on Kafka',
  topology: 'show the services of a fleet as its brokers see them: members, partitions, lag',
  authority: 'make the certificate authority of a fleet, and issue certificates, on the machine that keeps it',
  token: 'make a one-time token with which an agent or a service enrols; run it where the registrar runs',
  revoke: 'take back all keys and certificates of a host or a service; run it where the registrar runs',
  enrol: 'become a member of a fleet: keys are made here, certificates come from the registrar',
  dev: 'run a whole fleet on this machine, to try it out',
  completion: 'print a script that completes commands and options',
} as const;

export type CommandName = keyof typeof DESCRIPTIONS;
