import { type EventView, leaf, records } from '@ringfence/wire';
import { bodyLong, type Field } from '../field.ts';

const kinds = ['redirect'];
const source = bodyLong(leaf.Redirect.sourceDescriptor);
const target = bodyLong(leaf.Redirect.targetDescriptor);
const call = bodyLong(leaf.Redirect.call);

const CALLS: ReadonlyMap<number, string> = new Map(
  Object.entries(records.RedirectCall).map(([name, value]) => [value, name.replace('REDIRECT_', '').toLowerCase()]),
);

/** Name of the system call. */
export const redirectCall: { readonly names: readonly string[]; of(event: EventView): string | undefined } = {
  names: [...CALLS.values()],
  of: (event) => CALLS.get(call(event)),
};

/** Fields of events in which a standard stream is replaced by a socket. */
export const redirectFields: readonly Field[] = [
  {
    name: 'redirect.descriptor',
    type: 'number',
    doc: 'Standard stream that was replaced by the socket: 0 input, 1 output, 2 errors.',
    kinds,
    get: target,
  },
  {
    name: 'redirect.source_descriptor',
    type: 'number',
    doc: 'Descriptor of the socket that was duplicated.',
    kinds,
    get: source,
  },
];
