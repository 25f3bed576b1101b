import { FILTERED_KINDS, FORMS, SCOPES, wantOf } from '@ringfence/interest';
import type { FilteredForm, FormInterest } from '@ringfence/rules';
import type { Want } from '@ringfence/wire';

const wanted = (...texts: readonly string[]): Want[] => texts.flatMap((text) => wantOf(text) ?? []);
/** What the second stage ties hosts together by, whatever the rules say. */
const OWN = wanted('connect.tcp', 'accept.remote');
/** What ties processes of one host that talk to each other. */
const LOCAL = wanted('connect.tcp-loopback', 'connect.unix', 'socket.listen', 'socket.listen-unix');

/** What these fields know is from answers of name servers. */
const NAMES = ['destination.domain', 'source.domain', 'falco.fd.rip.name'];
const ANSWERS = wanted('packet.dns');

interface Place extends Pick<Want, 'kind' | 'form' | 'scope'> {
  readonly filtered: FilteredForm;
}

/** All that the sensor tells apart: forms, and kinds that have none, of hosts and of containers. */
const PLACES: readonly Place[] = [
  ...[...FILTERED_KINDS.keys()]
    .filter((kind) => !FORMS.some((form) => form.kind === kind))
    .map((kind) => ({ kind, form: '', facts: {}, ports: {} })),
  ...FORMS,
].flatMap(({ kind, form, facts, ports }) =>
  SCOPES.map((one) => ({ kind, form, scope: one.scope, filtered: { kind, facts: { ...facts, ...one.facts }, ports } })),
);

/** `CompileOptions.forms` */
export const WANTED_FORMS: readonly FilteredForm[] = PLACES.map(({ filtered }) => filtered);

/** What rules that were compiled with WANTED_FORMS and compare these fields, and this service, ask the sensor for. */
export function wantsOf(
  interests: readonly FormInterest[],
  localPeers = false,
  fields: ReadonlySet<string> = new Set(),
): Want[] {
  const names = NAMES.some((name) => fields.has(name)) ? ANSWERS : [];
  const wants: Want[] = [...OWN, ...(localPeers ? LOCAL : []), ...names];
  for (let at = 0; at < PLACES.length; at += SCOPES.length) {
    const [first, ...others] = interests.slice(at, at + SCOPES.length).map((one) => JSON.stringify(one));
    if (others.every((one) => one === first)) wants.push(...wantAt(PLACES[at] as Place, interests[at], ''));
    else
      for (const [index, { scope }] of SCOPES.entries())
        wants.push(...wantAt(PLACES[at + index] as Place, interests[at + index], scope));
  }
  return wants;
}

function wantAt({ kind, form }: Place, interest: FormInterest | undefined, scope: Want['scope']): Want[] {
  if (interest === 'nothing') return [];
  const { peer, local } = interest ?? { peer: [], local: [] };
  // Two empty lists ask for every port: a condition that no port fits asks for nothing.
  if (interest !== null && peer.length + local.length === 0) return [];
  return [{ kind, form, scope, peerPorts: [...peer], localPorts: [...local] }];
}
