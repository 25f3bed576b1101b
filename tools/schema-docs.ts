/** Generates docs/EVENTS.md and docs/FIELDS.md from the schemas and the field catalogue. */
import { catalogue, type Definition, type Field, falcoDefinitions } from '@ringfence/fields';
import { FILTERED_KINDS, FORMS } from '@ringfence/interest';
import { type SigmaField, sigmaFields } from '@ringfence/rules';
import { type KindName, kindName, type RecordSchema, schemaOf } from '@ringfence/wire';

import { cell, code, wrap } from './markdown.ts';

type Schema =
  | string
  | readonly Schema[]
  | {
      readonly type: Schema;
      readonly name?: string;
      readonly doc?: string;
      readonly size?: number;
      readonly items?: Schema;
      readonly values?: Schema;
      readonly fields?: RecordSchema['fields'];
    };

const generated = (source: string): string => `<!-- Generated from ${source} by \`npm run docs\`; edit it there. -->`;

function typeText(schema: Schema): string {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map(typeText).join(' or ');
  const complex = schema as Exclude<Schema, string | readonly Schema[]>;
  if (complex.type === 'array') return `list of ${typeText(complex.items ?? '')}`;
  if (complex.type === 'map') return `map of ${typeText(complex.values ?? '')}`;
  return complex.name ?? typeText(complex.type);
}

const fieldTable = (fields: RecordSchema['fields']): string =>
  [
    '| field | type | |',
    '|---|---|---|',
    ...fields.map((field) => `| ${code(field.name)} | ${typeText(field.type as Schema)} | ${cell(field['doc'])} |`),
  ].join('\n');

/** The source of each kind: a hook of the sensor, or the service that creates the event. */
const SOURCES: Readonly<Record<KindName, string>> = {
  Fork: 'tracepoint sched_process_fork; only for new thread groups',
  Exec: 'tracepoint sched_process_exec, from the new memory map; `snapshot`: a task iterator at the start',
  Exit: 'tracepoint sched_process_exit, when the last thread has exited',
  CredentialsChange:
    'system calls of the setuid family, setgroups, capset, unshare and setns, by comparing the credentials before and after',
  Open: 'exit of open, openat, openat2, creat and open_by_handle_at, from the file of the descriptor; filtered by what rules can match',
  Connect:
    'exit of connect, from the socket; cgroup connect hooks for failed connects; entry of connect for its duration',
  Tick: 'collector, once a second',
  Gap: 'enricher, when a sequence number of a lane never arrived',
  UserContext: 'collector, from the user database, at the start and on changes',
  ContainerContext:
    "collector, before the first event of a new cgroup, from the runtime's files and state; again when these contain more",
  MountContext: 'collector, from mountinfo, at the start and on changes',
  Log: 'enricher, from a line on `logs-raw`',
  Accept:
    'exit of accept and accept4, from the new socket; failures from the listening socket, unless no connection was waiting',
  HostContext: 'collector, at the start and on changes',
  FileChange:
    'exit of the rename, link, symlink, unlink, mkdir, chmod, chown, xattr, mknod, truncate and splice system calls; filtered by what rules can match',
  MountChange:
    'exit of mount, umount2, move_mount, pivot_root, chroot, open_tree, fsopen, fsmount and mount_setattr; never filtered',
  Memory:
    'exit of memfd_create, mmap, mprotect and pkey_mprotect, from the mapping; of equal events at most one per second and process',
  Signal:
    'tracepoint signal_generate; for failures, exit of kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo and pidfd_send_signal; of equal events at most one per second',
  Fault:
    'tracepoint signal_deliver; after 16 faults of an executable, only those whose number is a power of two, until a minute passes without a fault',
  ProcessAccess:
    'exit of ptrace, process_vm_readv, process_vm_writev and pidfd_getfd; opens of /proc/PID/mem and environ, from the opened file; of equal events at most one per second',
  Attempt:
    'exit of fork, vfork, clone, clone3, execve, execveat, the setuid family, setgroups and capset, when they fail; of equal events (same call, error and request) at most one per second and process',
  Redirect:
    'exit of dup, dup2, dup3 and fcntl, from the resulting stream or, if the call fails, from the descriptor to copy; of equal events at most one per second and process',
  Isolation:
    'exit of setns, unshare, prctl, seccomp and personality; hooks that run in a 32-bit call of a 64-bit process (`compat_call`); of equal events at most one per second',
  Capability:
    'raw tracepoint cap_capable, on kernels from 6.14; at most one per second for each process, capability and result; of successes of root on the host only the first',
  Module: 'exit of init_module, finit_module and delete_module; tracepoints module_load and module_free for the name',
  Bpf: 'exit of bpf, except for its routine commands; a created object is read from the new descriptor',
  SystemChange: 'exit of the system calls, by a tracepoint of each call',
  Sysctl: 'cgroup sysctl hook, right before the value is set',
  IoUring: 'tracepoints io_uring_submit_req (before 6.4 io_uring_submit_sqe) and io_uring_complete',
  Socket:
    'exit of socket (raw, packet, vsock, alg and other unusual families; netlink of audit, xfrm and netfilter), bind and listen, from the socket; cgroup bind hooks for failed binds',
  Datagram:
    'cgroup packet hooks, UDP only; the datagrams counted since the last event are reported with the next datagram after 30 s, or when the socket is closed (cgroup sock_release); exit of sendto, sendmsg and sendmmsg for failed sends and for sends to unix sockets, of equal ones at most one per second; in the full profile, exit of the kernel function unix_dgram_sendmsg for sends to unix sockets, which includes write',
  Packet: 'cgroup packet hooks: DNS on port 53 in both directions, and outgoing TLS ClientHello messages',
  Finding: 'collector, after the start and every `collector.integrity.every`',
  Flow: 'tracepoint inet_sock_set_state, TCP only: when a connection ends, or when a non-blocking connect has failed',
  Authentication: 'probes in libpam: exit of pam_authenticate',
  ShellLine: 'probes in bash (readline), zsh (zleread) and libreadline, for a bash that uses it',
  Hash: 'collector, from the file behind /proc/PID/exe, after the first exec of the file with that ctime; see `collector.hash`',
  TlsData: 'probes in libssl: exit of SSL_read, SSL_write and their _ex forms; only if `collector.probes.tls` is on',
  Throttled: 'collector, once a second while a cgroup exceeds its share and a ring is filling up',
  Silence:
    'enricher of a fleet, when no tick of a host has arrived for `enricher.silentAfter`, and again when a tick arrives; not after an orderly stop',
  Tampering:
    'collector, with each tick and at the next start, from a pinned map that programs on signal_generate, sched_process_exit, cgroup_freeze, cgroup_attach_task, and the exits of bpf and of ptrace and similar calls write, and from a comparison of what the sensor reads with what the agent wrote; not for an agent that was asked to stop (SIGTERM, SIGINT, SIGHUP)',
  Probe:
    'user-defined probes of `collector.probes.custom` (docs/PROBES.md): entry or exit of a function, USDT, tracepoint',
};

export function eventDocs(): string {
  const event = schemaOf('Event');
  const body = event.fields.find((field) => field.name === 'body')?.type as readonly (Exclude<
    Schema,
    string | readonly Schema[]
  > & { name: KindName })[];
  const nested = new Map<string, RecordSchema['fields']>();
  const collect = (schema: Schema): void => {
    if (typeof schema === 'string') return;
    if (Array.isArray(schema)) {
      for (const branch of schema) collect(branch);
      return;
    }
    const complex = schema as Exclude<Schema, string | readonly Schema[]>;
    for (const field of complex.fields ?? []) {
      const inner = field.type as Schema;
      if (typeof inner === 'object' && !Array.isArray(inner) && 'name' in inner && inner.type === 'record')
        nested.set(String(inner.name), inner.fields ?? []);
      collect(inner);
    }
  };
  for (const record of body) collect(record);
  return `${[
    '# Events',
    generated('packages/wire/avro/event.avsc'),
    wrap(
      'The events that Ringfence reports. On the wire, each event is an Avro record in a signed RawBatch. Its identity is hostId, bootId, run, lane, cpu and sequence.',
    ),
    '## Fields of every event',
    fieldTable(event.fields.filter((field) => field.name !== 'body')),
    ...body.flatMap(({ name, doc, fields }) => [
      `## ${name}`,
      ...(doc === undefined ? [] : [wrap(`${doc[0]?.toUpperCase()}${doc.slice(1)}.`)]),
      wrap(`Source: ${SOURCES[name]}.`),
      ...filtering(name),
      fieldTable(fields ?? []),
    ]),
    ...[...nested].flatMap(([name, fields]) => [`## ${name} (nested record)`, fieldTable(fields)]),
  ].join('\n\n')}\n`;
}

/** Describes when the sensor sends a filtered kind, and its names in `sensor.audit`. */
function filtering(name: KindName): string[] {
  const kind = kindName(name);
  if (!FILTERED_KINDS.has(kind)) return [];
  const forms = FORMS.filter((form) => form.kind === kind).map(({ form }) => code(`${kind}.${form}`));
  const parts = forms.length === 0 ? '' : ` or a form of it: ${forms.join(', ')}`;
  return [wrap(`Sent only if a rule can match it or \`sensor.audit\` contains ${code(kind)}${parts}.`)];
}

function fieldRow({ name, type, doc, aliases, kinds, argument, argumentOptional }: Field): string {
  const bracket =
    argument === undefined ? '' : argumentOptional ? ` or ${code(`${name}[${argument}]`)}` : `[${argument}]`;
  return `| ${code(argument !== undefined && !argumentOptional ? `${name}${bracket}` : name)}${argumentOptional ? bracket : ''} | ${type} | ${kinds?.join(', ') ?? 'all'} | ${cell(doc)} | ${(aliases ?? []).map(code).join(' ')} |`;
}

const table = (rows: readonly string[]): string =>
  ['| field | type | on events | meaning | also known as |', '|---|---|---|---|---|', ...rows].join('\n');

/** Returns the field that has Falco's name in rules of Falco's format. */
function falcoField(name: string): Field {
  const found =
    catalogue.fields.find((field) => field.name === `falco.${name}`) ??
    catalogue.fields.find((field) => field.aliases?.includes(name) || field.name === name);
  if (found === undefined) throw new TypeError(`the catalogue has no field ${name} of Falco`);
  return found;
}

/** Returns a row for each field of a definition. */
const falcoRows = ({ fields, there, differs }: Definition): string[] =>
  fields.split(' ').map((name) => {
    const field = falcoField(name);
    const here = field.dialect === 'falco' || field.name === name ? cell(field.doc) : code(field.name);
    const kinds = field.kinds?.join(', ') ?? 'all';
    return `| ${code(name)} | ${field.type} | ${kinds} | ${cell(there)} | ${here} | ${cell(differs)} |`;
  });

const LANGUAGE_HEAD =
  '| field | type | on events | meaning there | meaning here | difference |\n|---|---|---|---|---|---|';

/** Returns one row for each reason. */
function missingRows(): string[] {
  const missing = catalogue.fields.filter(({ never }) => never !== undefined);
  return [...Map.groupBy(missing, ({ never }) => never)].map(
    ([reason, fields]) =>
      `| ${fields.map(({ name }) => code(name.replace(/^falco\./, ''))).join(' ')} | ${cell(reason)} |`,
  );
}

const SIGMA_HEAD = '| log source | field | meaning there | meaning here | difference |\n|---|---|---|---|---|';

const sigmaRow = ({ source, field, there, here, differs }: SigmaField): string =>
  `| ${source} | ${code(field)} | ${cell(there)} | ${here === '' ? '' : code(here)} | ${cell(differs)} |`;

export function fieldDocs(): string {
  return `${[
    '# Fields',
    generated('packages/fields/src'),
    wrap(
      'The fields that conditions, outputs and `--where` can use. A comparison with a field that an event does not have is false; `exists` tests whether it has the field.',
    ),
    table(catalogue.fields.filter(({ dialect }) => dialect === undefined).map(fieldRow)),
    "## In Falco's form",
    wrap(
      "Falco's fields, with what Falco's documentation says of them, what they hold here, and what is different. In rule files in Falco's format they have these names; elsewhere those that are no name of a field above have the prefix `falco.`. Equivalent event types of Falco are treated as the same type: `evt.type = openat2` means openat. Each row is played against an event by packages/rule-lab/test/fields/falco-fields.test.ts.",
    ),
    [LANGUAGE_HEAD, ...falcoDefinitions.flatMap(falcoRows)].join('\n'),
    "## In Sigma's form",
    wrap(
      "The fields of Sigma's log sources. All categories and auditd have the first ones; services are those whose logs are read line by line. `a0` stands for a0 to a63. A field without a meaning here is never available, for the reason given. Each row is played against an event by packages/rule-lab/test/fields/sigma-fields.test.ts.",
    ),
    [SIGMA_HEAD, ...sigmaFields().map(sigmaRow)].join('\n'),
    "## Falco's fields that no event has",
    wrap(
      'Fields that are never available. Loading a rule that compares such a field reports this; in outputs, they are `<NA>`.',
    ),
    ['| fields | reason |', '|---|---|', ...missingRows()].join('\n'),
  ].join('\n\n')}\n`;
}
