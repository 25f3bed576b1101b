/** Descriptions of the commands, kept apart from them so that `ringfence --help` loads no command. */
export const DESCRIPTIONS = {
  up: 'watch this machine: run all services, or those of --only, until Ctrl-C',
  demo: 'run a small attack in a sandbox and show the incident that Ringfence reports',
  doctor:
    'check what this machine supports and, in a fleet, which servers answer; show the impact of each gap and its fix',
  fim: 'save a baseline of files, and report later which of them changed: content, owner, mode, capabilities',
  integrity:
    'check the kernel and its helper programs for manipulation: hooks, hidden modules and processes, BPF programs',
  inventory: 'list running processes with their open sockets, containers and mounts, read from the kernel',
  posture: 'report what each running container could do to the host, and the flags that would prevent it',
  status: 'show the health of a running ringfence: rates, lag, lost events by cause',
  stats: 'show where every event went: filtered, merged, throttled, lost, sent, delivered; and how each host filters',
  events: 'list events with process, user and container, newest last',
  alerts: 'list alerts, newest last',
  incidents: 'list incidents, newest last',
  incident: 'show an incident, set its state, export or hold its evidence, or write exceptions for its rules',
  respond: 'plan, carry out and take back actions on a host: kill, suspend, quarantine, revert, lock, collect',
  playbooks: 'check, test, explain and simulate playbooks: responses of several steps to alerts and incidents',
  audit: 'verify the audit trail or an exported incident, or list the actions of operators',
  sinks: 'show, check and test the sinks that get alerts and incidents, or send a time range again',
  kibana: 'install dashboards for the audit trail in Kibana, or show what would change',
  record: 'record the raw events and log lines of this host to a file, until Ctrl-C; "ringfence replay" plays it back',
  rules: 'write, check, test, explain, benchmark and convert detection rules',
  replay: 'run a recording through the pipeline from empty state; the same file gives the same ids and bytes each time',
  trace: 'trace the system calls of a command, a process, a cgroup or a container as they happen',
  probes: 'list and check user-defined probes in functions, USDT and tracepoints',
  config: 'show the settings in force',
  topics: 'compare the Kafka topics, access lists and schemas of a fleet with its settings, or apply the settings',
  topology: 'show the services of a fleet as its brokers see them: members, partitions, lag',
  authority:
    'create the certificate authority of a fleet and issue certificates; run it on the machine that keeps the keys',
  token: 'create a one-time token that enrols an agent or a service; run it on the machine of the registrar',
  revoke: 'revoke all keys and certificates of a host or a service; run it on the machine of the registrar',
  enrol: 'enrol this host or service in a fleet: create its keys and fetch certificates from the registrar',
  dev: 'run a whole fleet on this machine for development',
  completion: 'print a shell completion script for commands and options',
} as const;

export type CommandName = keyof typeof DESCRIPTIONS;
