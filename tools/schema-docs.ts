/** Texts of docs/EVENTS.md and docs/FIELDS.md, from the schemas and the field catalogue. */
import { catalogue, FILTERED_KINDS, type Field, FORMS, type KindName } from '../packages/schema/src/index.ts';
import { kindName } from '../packages/schema/src/layout.ts';
import { type RecordSchema, schemaOf } from '../packages/schema/src/schemas.ts';
import { paragraph } from './prose.ts';

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

const cell = (text: unknown): string => String(text ?? '').replaceAll('|', '\\|');
const code = (text: string): string => `\`${text}\``;
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
    '| field | type | meaning |',
    '|---|---|---|',
    ...fields.map((field) => `| ${code(field.name)} | ${typeText(field.type as Schema)} | ${cell(field['doc'])} |`),
  ].join('\n');

/** Where the sensor sees each kind, or which service makes it. */
const SOURCES: Readonly<Record<KindName, string>> = {
  Fork: 'tracepoint sched_process_fork; new thread groups only',
  Exec: 'tracepoint sched_process_exec, from the new memory map; `snapshot`: task iterator at start',
  Exit: 'tracepoint sched_process_exit, when the last thread is gone',
  CredentialsChange:
    'system calls of the setuid family, setgroups, capset, unshare and setns, compared before and after',
  Open: 'end of open, openat, openat2 and creat, from the file the descriptor names; filtered by what rules can match',
  Connect: 'end of connect, from the socket; cgroup connect hooks for failed ones; its beginning for the duration',
  Tick: 'collector, once a second',
  Gap: 'enricher, when a number of a lane is missing',
  UserContext: 'collector, from the user database, at start and on change',
  ContainerContext:
    "collector, before the first event of a cgroup it has not seen, from the runtime's files and state; again when those have more",
  MountContext: 'collector, from mountinfo, at start and on change',
  Log: 'enricher, from a line on `logs-raw`',
  Accept:
    'end of accept and accept4, from the new socket; failures (except that no connection waited) from the listening one',
  HostContext: 'collector, at start and on change',
  FileChange:
    'end of the rename, link, symlink, unlink, mkdir, chmod, chown, xattr, mknod, truncate and splice system calls; filtered by what rules can match',
  MountChange:
    'end of mount, umount2, move_mount, pivot_root, chroot, open_tree, fsopen, fsmount and mount_setattr; never filtered',
  Memory:
    'end of memfd_create, mmap, mprotect and pkey_mprotect, from the mapping; of equal ones at most one a second and process',
  Signal:
    'tracepoint signal_generate; of failed ones the end of kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo and pidfd_send_signal; of equal ones at most one a second',
  Fault:
    'tracepoint signal_deliver; after the 16th of an executable those whose number is a power of two, until a minute passes without any',
  ProcessAccess:
    'end of ptrace, process_vm_readv, process_vm_writev and pidfd_getfd; opens of /proc/PID/mem and environ, from the opened file; of equal ones at most one a second',
  Attempt:
    'end of fork, vfork, clone, clone3, execve, execveat, the setuid family, setgroups and capset, when they fail; of equal ones (call, error, what was asked for) at most one a second and process',
  Redirect:
    'end of dup, dup2, dup3 and fcntl, from the stream as it is then, or in a failed call from the descriptor to be copied; of equal ones at most one a second and process',
  Isolation: 'end of setns, unshare, prctl, seccomp and personality; of equal ones at most one a second',
  Capability:
    'raw tracepoint cap_capable, kernels from 6.14; by process, capability and answer at most one a second, of successes of root on the host only the first',
  Module: 'end of init_module, finit_module and delete_module; tracepoints module_load and module_free for the name',
  Bpf: 'end of bpf, except its everyday commands; a new object is read from its descriptor',
  SystemChange: 'end of the system calls, by their own tracepoints',
  Sysctl: 'cgroup sysctl hook, right before the value is taken',
  IoUring: 'tracepoints io_uring_submit_req (before 6.4 io_uring_submit_sqe) and io_uring_complete',
  Socket:
    'end of socket (raw, packet, vsock, alg and other unusual families; netlink of audit, xfrm and netfilter), bind and listen, from the socket; cgroup bind hooks for binds that fail',
  Datagram:
    'cgroup packet hooks, UDP only; later ones are counted and reported after 30 s with the next datagram or when the socket is closed (cgroup sock_release); end of sendto, sendmsg and sendmmsg for failed sends, and for sends to unix sockets, of which equal ones are reported at most once a second; in the full profile the end of the kernel function that sends these (unix_dgram_sendmsg), which also sees writes',
  Packet: 'cgroup packet hooks: DNS on port 53 both ways, and the hello of a TLS client as it leaves',
  Finding: 'collector, at start and every `collector.integrity.every`',
  Flow: 'tracepoint inet_sock_set_state, TCP only: when the connection is over, or a non-blocking one has failed',
  Authentication: 'probes in libpam: end of pam_authenticate',
  ShellLine: 'probes in bash (readline), zsh (zleread) and, for a bash that uses it, libreadline',
  Hash: 'collector, from the file behind /proc/PID/exe, after the first exec of the file at that ctime; `collector.hash`',
  TlsData: 'probes in libssl: end of SSL_read, SSL_write and their _ex forms; off unless `collector.probes.tls`',
  Throttled: 'collector, once a second while a cgroup sends more than its share and a ring is filling up',
  Silence:
    'enricher of a fleet, when no tick of a host has come for `enricher.silentAfter`; again when one comes; not after an orderly end',
  Tampering:
    'collector, with each tick and at the next start, from a pinned map that signal_generate, sched_process_exit, ends of ptrace and similar calls, and of bpf write; nothing for an agent that was asked to end (SIGTERM, SIGINT, SIGHUP)',
  Probe:
    'user-defined probes: a function entered or left, USDT, a tracepoint, as `collector.probes.custom` says (docs/PROBES.md)',
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
      for (const one of schema) collect(one);
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
  for (const one of body) collect(one);
  return `${[
    '# Events',
    generated('packages/schema/avro/event.avsc'),
    paragraph(
      'What the sensor and the collector report. On the wire each event is an Avro record in a signed RawBatch; its identity is hostId, bootId, run, lane, cpu and sequence.',
    ),
    '## Of every event',
    fieldTable(event.fields.filter((field) => field.name !== 'body')),
    ...body.flatMap(({ name, doc, fields }) => [
      `## ${name}`,
      ...(doc === undefined ? [] : [paragraph(`${doc[0]?.toUpperCase()}${doc.slice(1)}.`)]),
      paragraph(`Seen by: ${SOURCES[name]}.`),
      ...filtering(name),
      fieldTable(fields ?? []),
    ]),
    ...[...nested].flatMap(([name, fields]) => [`## ${name} (part of others)`, fieldTable(fields)]),
  ].join('\n\n')}\n`;
}

/** For kinds that are filtered: the names by which `sensor.audit` can ask for them. */
function filtering(name: KindName): string[] {
  const kind = kindName(name);
  if (!FILTERED_KINDS.has(kind)) return [];
  const forms = FORMS.filter((form) => form.kind === kind).map(({ form }) => code(`${kind}.${form}`));
  const parts = forms.length === 0 ? '' : `, or in part ${forms.join(', ')}`;
  return [paragraph(`Leaves the kernel when a rule can match it, or \`sensor.audit\` names ${code(kind)}${parts}.`)];
}

function fieldRow({ name, type, doc, aliases, kinds, argument, argumentOptional }: Field): string {
  const bracket =
    argument === undefined ? '' : argumentOptional ? ` or ${code(`${name}[${argument}]`)}` : `[${argument}]`;
  return `| ${code(argument !== undefined && !argumentOptional ? `${name}${bracket}` : name)}${argumentOptional ? bracket : ''} | ${type} | ${kinds?.join(', ') ?? 'all'} | ${cell(doc)} | ${(aliases ?? []).map(code).join(' ')} |`;
}

const table = (rows: readonly string[]): string =>
  ['| field | type | on events | meaning | also known as |', '|---|---|---|---|---|', ...rows].join('\n');

/** With the fields that it stands for. */
const falcoRow = (field: Field): string =>
  fieldRow({ ...field, name: field.name.replace(/^falco\./, ''), aliases: field.anyOf ?? [] });

/** One row for each reason. */
function missingRows(): string[] {
  const missing = catalogue.fields.filter(({ never }) => never !== undefined);
  return [...Map.groupBy(missing, ({ never }) => never)].map(
    ([why, fields]) => `| ${fields.map(({ name }) => code(name.replace(/^falco\./, ''))).join(' ')} | ${cell(why)} |`,
  );
}

export function fieldDocs(): string {
  return `${[
    '# Fields',
    generated('packages/schema/src/fields'),
    paragraph(
      'Conditions, outputs and `--where` can name these fields. A comparison with a field that an event does not have is false; `exists` asks for it.',
    ),
    table(catalogue.fields.filter(({ dialect }) => dialect === undefined).map(fieldRow)),
    "## In Falco's form",
    paragraph(
      'The meaning of these names in rule files of Falco; elsewhere they begin with `falco.`. Other fields of Falco are aliases of the fields above. Event types of Falco for the same action are one: `evt.type = openat2` asks for openat.',
    ),
    table(catalogue.fields.filter(({ dialect, never }) => dialect === 'falco' && never === undefined).map(falcoRow)),
    paragraph(
      'Fields that are never available: a rule that compares one gets a warning when it is loaded, and in outputs they are `<NA>`.',
    ),
    ['| fields | why |', '|---|---|', ...missingRows()].join('\n'),
  ].join('\n\n')}\n`;
}
