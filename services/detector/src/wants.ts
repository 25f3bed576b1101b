import { FILTERED_KINDS, FORMS, SCOPES, wantOf } from '@ringfence/interest';
import type { FilteredForm, FormInterest } from '@ringfence/rules';
import type { Want } from '@ringfence/wire';

const wanted = (...texts: readonly string[]): Want[] => texts.flatMap((text) => wantOf(text) ?? []);
/** Edges between hosts, which the second stage needs with any rules */
const EDGES = wanted('connect.tcp', 'accept.remote');
/** Connections within a host, which link its processes */
const LOCAL = wanted('connect.tcp-loopback', 'connect.unix', 'socket.listen', 'socket.listen-unix');

/** Fields whose values come from DNS answers */
const NAMES = ['destination.domain', 'source.domain', 'falco.fd.rip.name'];
const ANSWERS = wanted('packet.dns');

/** Fields whose values come from calls of listen(2) */
const SERVERS = [
  'process.server.port',
  'process.server.local_port',
  'process.parent.server.port',
  'process.parent.server.local_port',
  'process.ancestors.serving',
];
const LISTENS = wanted('socket.listen');

interface FilterKey extends Pick<Want, 'kind' | 'form' | 'scope'> {
  readonly filtered: FilteredForm;
}

/** Everything that the sensor filters by: forms, and kinds without forms, on hosts and in containers. */
const FILTER_KEYS: readonly FilterKey[] = [
  ...[...FILTERED_KINDS.keys()]
    .filter((kind) => !FORMS.some((form) => form.kind === kind))
    .map((kind) => ({ kind, form: '', facts: {}, ports: {} })),
  ...FORMS,
].flatMap(({ kind, form, facts, ports }) =>
  SCOPES.map(({ scope, facts: inScope }) => ({
    ...{ kind, form, scope },
    filtered: { kind, facts: { ...facts, ...inScope }, ports },
  })),
);

/** `CompileOptions.forms` */
export const WANTED_FORMS: readonly FilteredForm[] = FILTER_KEYS.map(({ filtered }) => filtered);

/** Returns the events to ask the sensor for: those of rules compiled with WANTED_FORMS, and those that chains need. */
export function wantsOf(
  interests: readonly FormInterest[],
  localPeers = false,
  fields: ReadonlySet<string> = new Set(),
): Want[] {
  const names = NAMES.some((name) => fields.has(name)) ? ANSWERS : [];
  const listens = SERVERS.some((name) => fields.has(name)) ? LISTENS : [];
  const wants: Want[] = [...EDGES, ...(localPeers ? LOCAL : []), ...names, ...listens];
  for (let at = 0; at < FILTER_KEYS.length; at += SCOPES.length) {
    const [first, ...remaining] = interests.slice(at, at + SCOPES.length).map((interest) => JSON.stringify(interest));
    if (remaining.every((text) => text === first))
      wants.push(...wantAt(FILTER_KEYS[at] as FilterKey, interests[at], ''));
    else
      for (const [index, { scope }] of SCOPES.entries())
        wants.push(...wantAt(FILTER_KEYS[at + index] as FilterKey, interests[at + index], scope));
  }
  return wants;
}

function wantAt({ kind, form }: FilterKey, interest: FormInterest | undefined, scope: Want['scope']): Want[] {
  if (interest === 'nothing') return [];
  const { peer, local } = interest ?? { peer: [], local: [] };
  // Two empty lists would ask for every port; a condition that no port fits asks for nothing.
  if (interest !== null && peer.length + local.length === 0) return [];
  return [{ kind, form, scope, peerPorts: [...peer], localPorts: [...local] }];
}
