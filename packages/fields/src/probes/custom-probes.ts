import { type EventView, leaf, records } from '@ringfence/wire';
import { bodyLong, bodyText, type Field } from '../field.ts';
import { type ProbeArgument, parseProbeArguments } from './probe-arguments.ts';

const kinds = ['probe'];
const place = bodyLong(leaf.Probe.place);
const places = new Map<number, string>([
  [records.ProbePlace.PLACE_UPROBE, 'uprobe'],
  [records.ProbePlace.PLACE_URETPROBE, 'uretprobe'],
  [records.ProbePlace.PLACE_USDT, 'usdt'],
  [records.ProbePlace.PLACE_TRACEPOINT, 'tracepoint'],
]);

function parsed({ cursor }: EventView): ProbeArgument[] {
  const at = cursor.leafAt(leaf.Probe.argumentsBytes);
  return parseProbeArguments(cursor.buffer.subarray(at, at + cursor.leafLength(leaf.Probe.argumentsBytes)));
}

const named = (event: EventView, name: string | number | undefined): ProbeArgument | undefined =>
  parsed(event).find((argument) => argument.name === name);

/** Fields of user-defined probes (docs/PROBES.md). */
export const customProbeFields: readonly Field[] = [
  {
    name: 'probe.name',
    type: 'string',
    doc: 'Name of the user-defined probe that fired.',
    kinds,
    get: bodyText(leaf.Probe.nameBytes),
  },
  {
    name: 'probe.type',
    type: 'string',
    doc: 'uprobe, uretprobe, usdt or tracepoint.',
    kinds,
    get: (event) => places.get(place(event)),
  },
  {
    name: 'probe.args',
    type: 'string',
    doc: 'Argument as text: a pointer as 0x…, bytes in hexadecimal, text unchanged. Absent when it could not be read.',
    kinds,
    argument: 'key',
    get: (event, name) => named(event, name)?.text,
  },
  {
    name: 'probe.numbers',
    type: 'number',
    doc: 'Argument as a number, for comparisons by size; exact up to 2^53.',
    kinds,
    argument: 'key',
    get: (event, name) => named(event, name)?.number,
  },
  {
    name: 'probe.arguments',
    type: 'strings',
    doc: 'All arguments that could be read: name=value, with … after a truncated value.',
    kinds,
    get: (event) => parsed(event).map(({ name, text, cut }) => `${name}=${text}${cut ? '…' : ''}`),
  },
];
