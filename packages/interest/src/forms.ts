import { containerFields, type FieldValue } from '@ringfence/fields';
import { records, type Want } from '@ringfence/wire';

/** A statement about a field that holds on all events of a form. */
export type FieldFact =
  | { readonly is: Exclude<FieldValue, undefined> }
  /** The field has none of these values, or no value. */
  | { readonly not: readonly string[] }
  /** The field has one of these values. */
  | { readonly among: readonly (string | number)[] }
  /** The field has an address in one of these networks. */
  | { readonly inside: readonly string[] }
  /** The field has an address in none of these networks, or no value. */
  | { readonly outside: readonly string[] }
  | { readonly present: boolean };

type Facts = Readonly<Record<string, FieldFact>>;
type Ends = Readonly<Record<string, readonly ('peer' | 'local')[]>>;

/** A variant of a kind that the sensor can filter. */
export interface Form {
  readonly kind: string;
  readonly form: string;
  /** Enum rf_form. */
  readonly number: number;
  readonly facts: Facts;
  /** The ports that a field can hold. */
  readonly ports: Ends;
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const absent: FieldFact = { present: false };
const outward: Ends = { 'destination.port': ['peer'], 'source.port': ['local'] };
const inward: Ends = { 'source.port': ['peer'], 'destination.port': ['local'] };
const either: Ends = { 'source.port': ['peer', 'local'], 'destination.port': ['peer', 'local'] };
const localOnly: Ends = { 'destination.port': ['local'] };

const { Form: NUMBER } = records;
const form = (number: number, kind: string, name: string, facts: Facts, ports: Ends): Form => ({
  kind,
  form: name,
  number,
  facts,
  ports,
});
const notUnix: Facts = { 'network.type': { not: ['unix'] }, 'network.unix.path': absent };
const transport = (is: string): Facts => ({ 'network.transport': { is }, ...notUnix });
/** Fields of addresses and ports, which unix sockets do not have. */
const ADDRESSES = ['ip', 'port', 'domain'].flatMap((name) => [`source.${name}`, `destination.${name}`]);
const FALCO_ADDRESSES = ['tuple', 'lip', 'rip', 'lnet', 'rnet', 'lport', 'rport', 'rip.name'].map(
  (name) => `falco.fd.${name}`,
);
const unix: Facts = {
  'network.type': { is: 'unix' },
  'network.transport': absent,
  ...Object.fromEntries([...ADDRESSES, ...FALCO_ADDRESSES].map((name) => [name, absent])),
};
const socket = (action: string, facts: Facts): Facts => ({ 'event.action': { is: action }, ...facts });
const anotherType: Facts = { 'network.type': { not: ['unix'] } };
const peerAt = (field: string, loopback: boolean): Facts => ({
  [field]: loopback ? { inside: LOOPBACK } : { outside: LOOPBACK },
});
const NOT_FOUND = ['ENOENT', 'ENOTDIR'];
const failed = (action: string): Facts => ({ 'event.action': { is: action }, 'event.outcome': { is: 'failure' } });
const content = (is: string): Facts => ({ 'event.action': { is }, 'network.protocol': { is } });

/** All forms. Enum rf_form in bpf/ringfence.h describes them. */
export const FORMS: readonly Form[] = [
  form(NUMBER.CONNECT_TCP, 'connect', 'tcp', { ...transport('tcp'), ...peerAt('destination.ip', false) }, outward),
  form(
    NUMBER.CONNECT_TCP_LOOPBACK,
    'connect',
    'tcp-loopback',
    { ...transport('tcp'), ...peerAt('destination.ip', true) },
    outward,
  ),
  form(NUMBER.CONNECT_UDP, 'connect', 'udp', { ...transport('udp'), ...peerAt('destination.ip', false) }, outward),
  form(
    NUMBER.CONNECT_UDP_LOOPBACK,
    'connect',
    'udp-loopback',
    { ...transport('udp'), ...peerAt('destination.ip', true) },
    outward,
  ),
  form(NUMBER.CONNECT_UNIX, 'connect', 'unix', unix, {}),
  form(
    NUMBER.CONNECT_OTHER,
    'connect',
    'other',
    { 'network.transport': { not: ['tcp', 'udp'] }, 'network.type': { not: ['unix'] } },
    outward,
  ),
  form(NUMBER.ACCEPT_REMOTE, 'accept', 'remote', peerAt('source.ip', false), inward),
  form(NUMBER.ACCEPT_LOOPBACK, 'accept', 'loopback', peerAt('source.ip', true), inward),
  form(NUMBER.FLOW_REMOTE, 'flow', 'remote', {}, either),
  form(NUMBER.FLOW_LOOPBACK, 'flow', 'loopback', {}, either),
  form(NUMBER.DATAGRAM_REMOTE, 'datagram', 'remote', notUnix, either),
  form(NUMBER.DATAGRAM_LOOPBACK, 'datagram', 'loopback', notUnix, either),
  form(NUMBER.DATAGRAM_UNIX, 'datagram', 'unix', unix, {}),
  form(NUMBER.PACKET_DNS, 'packet', 'dns', content('dns'), either),
  form(NUMBER.PACKET_TLS, 'packet', 'tls', content('tls'), either),
  form(NUMBER.PACKET_TLS_LOOPBACK, 'packet', 'tls-loopback', content('tls'), either),
  form(NUMBER.SOCKET_SOCKET, 'socket', 'socket', socket('socket', anotherType), {}),
  form(NUMBER.SOCKET_BIND, 'socket', 'bind', socket('bind', anotherType), localOnly),
  form(NUMBER.SOCKET_BIND_UNIX, 'socket', 'bind-unix', socket('bind', unix), {}),
  form(NUMBER.SOCKET_LISTEN, 'socket', 'listen', socket('listen', anotherType), localOnly),
  form(NUMBER.SOCKET_LISTEN_UNIX, 'socket', 'listen-unix', socket('listen', unix), {}),
  form(
    NUMBER.ATTEMPT_EXEC_NOT_FOUND,
    'attempt',
    'exec-not-found',
    { ...failed('exec_failed'), 'error.code': { among: NOT_FOUND } },
    {},
  ),
  form(NUMBER.ATTEMPT_EXEC, 'attempt', 'exec', { ...failed('exec_failed'), 'error.code': { not: NOT_FOUND } }, {}),
  form(NUMBER.ATTEMPT_FORK, 'attempt', 'fork', failed('fork_failed'), {}),
  form(NUMBER.ATTEMPT_CREDENTIALS, 'attempt', 'credentials', failed('credentials_failed'), {}),
];

/**
 * Kinds that are never filtered, because the pipeline depends on them: processes, writes to files, tampering with the
 * agent, and user-defined probes.
 */
const ALWAYS = new Set(['fork', 'exec', 'exit', 'credentials_change', 'open', 'tampering', 'probe']);

/** Kinds that leave the kernel only when an interest wants them, with their number in enum rf_kind. */
export const FILTERED_KINDS: ReadonlyMap<string, number> = new Map(
  Object.entries(records.Kind)
    .map(([name, number]) => [name.toLowerCase(), number] as const)
    .filter(([name]) => !ALWAYS.has(name)),
);

/** Scopes of processes, with the facts that hold on events of a scope. */
export const SCOPES: readonly { readonly scope: 'host' | 'container'; readonly facts: Facts }[] = [
  { scope: 'host', facts: Object.fromEntries(containerFields.map(({ name }) => [name, absent])) },
  { scope: 'container', facts: { 'container.id': { present: true } } },
];

/** Parses `kind` or `kind.form`, as in settings. Returns undefined for an unknown kind or form. */
export function wantOf(text: string): Want | undefined {
  const [kind = '', name = '', ...more] = text.split('.');
  if (!FILTERED_KINDS.has(kind) || more.length > 0) return undefined;
  if (name !== '' && !FORMS.some((candidate) => candidate.kind === kind && candidate.form === name)) return undefined;
  return { kind, form: name, scope: '', peerPorts: [], localPorts: [] };
}
