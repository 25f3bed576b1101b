import { readdirSync } from 'node:fs';
import { BpfLink, BpfMap, type BpfObject } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { isPinned, pinnedHooks, programOfLink } from '../pins/paths.ts';

const MAP = 'rf_own_links';
/** Names of the sensor's maps begin with it, as do their pins. */
const MAP_PREFIX = 'rf_';
const PROGRAM_MAX = records.TAMPERING_ENTRY_PROGRAM_LENGTH;

/**
 * Adds a link to rf_own_links, by which the sensor recognizes its own links. Key: the link's id; value: the program.
 */
export function noteLink(links: Pick<BpfMap, 'set'>, id: number, program: string): void {
  links.set(id, { program: nameBytes(program) });
}

/**
 * Adds the maps and programs of a loaded sensor to rf_own_objects, by which it recognizes them when another process
 * opens or changes them. Writes them at once: a resumed sensor keeps each change as tampering, until it knows this
 * process as the agent.
 */
export function noteObjects(object: BpfObject, pinPath: string): void {
  const programs = [...object.programs.values()].filter(({ loaded }) => loaded);
  const maps = pinnedMaps(pinPath).map((name) => {
    using map = BpfMap.openPinnedBytes(`${pinPath}/${name}`);
    return { id: map.info.id, name };
  });
  object
    .map('rf_own_objects')
    .setAll([
      ...maps.map(({ id, name }) => entryOf(records.OwnObject.OBJECT_MAP, id, name)),
      ...programs.map(({ id, name }) => entryOf(records.OwnObject.OBJECT_PROGRAM, id, name)),
    ]);
}

const entryOf = (type: number, id: number, name: string): [bigint, { program: Buffer }] => [
  (BigInt(type) << 32n) | BigInt(id),
  { program: nameBytes(name) },
];

function nameBytes(name: string): Buffer {
  const bytes = Buffer.alloc(PROGRAM_MAX);
  bytes.write(name.slice(0, PROGRAM_MAX - 1), 'latin1');
  return bytes;
}

/** Returns the programs whose hooks were attached and whose links have since been removed or detached. */
export function damagedHooks(pinPath: string): readonly string[] {
  if (!isPinned(`${pinPath}/${MAP}`)) return [];
  using links = BpfMap.openPinnedBytes(`${pinPath}/${MAP}`);
  return damagedAmong(links, pinPath);
}

/** The same with an open rf_own_links, whose pin may be gone too. */
export function damagedAmong(links: Pick<BpfMap, 'batches' | 'sizes'>, pinPath: string): readonly string[] {
  const pins = isPinned(pinPath) ? pinnedHooks(pinPath) : [];
  const pinned = new Set(pins.map((pin) => programOfLink(pin).slice(0, PROGRAM_MAX - 1)));
  return [
    ...programsIn(links).filter((program) => !pinned.has(program)),
    ...pins.filter((pin) => isDetached(pinPath, pin)).map(programOfLink),
  ];
}

/** A value consists of nothing but the program's name. */
function programsIn(links: Pick<BpfMap, 'batches' | 'sizes'>): string[] {
  const { value: size } = links.sizes;
  return [...links.batches()].flatMap(({ values, count }) =>
    Array.from({ length: count }, (_, index) => textOf(values.subarray(index * size, (index + 1) * size))),
  );
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').split('\0')[0] ?? '';

/** Names of the pinned maps. */
export const pinnedMaps = (pinPath: string): string[] =>
  isPinned(pinPath) ? readdirSync(pinPath).filter((pin) => pin.startsWith(MAP_PREFIX)) : [];

function isDetached(pinPath: string, pin: string): boolean {
  using link = BpfLink.openPinned(`${pinPath}/${pin}`);
  return !link.attached;
}
