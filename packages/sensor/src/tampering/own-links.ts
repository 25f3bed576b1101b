import { BpfLink, BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { isPinned, pinnedHooks, programOfLink } from '../pins/paths.ts';

const MAP = 'rf_own_links';
const PROGRAM_MAX = records.TAMPERING_ENTRY_PROGRAM_LENGTH;

/**
 * Adds a link to rf_own_links, by which the sensor recognizes its own links. Key: the link's id; value: the program.
 */
export function noteLink(links: Pick<BpfMap, 'set'>, id: number, program: string): void {
  const name = Buffer.alloc(PROGRAM_MAX);
  name.write(program.slice(0, PROGRAM_MAX - 1), 'latin1');
  links.set(id, { program: name });
}

/** Returns the programs whose hooks were attached and whose links have since been removed or detached. */
export function damagedHooks(pinPath: string): readonly string[] {
  if (!isPinned(`${pinPath}/${MAP}`)) return [];
  const pins = pinnedHooks(pinPath);
  const pinned = new Set(pins.map((pin) => programOfLink(pin).slice(0, PROGRAM_MAX - 1)));
  using links = BpfMap.openPinnedBytes(`${pinPath}/${MAP}`);
  // A value consists of nothing but the program's name.
  const attached = [...links.entries()].map(([, program]) => textOf(program));
  return [
    ...attached.filter((program) => !pinned.has(program)),
    ...pins.filter((pin) => isDetached(pinPath, pin)).map(programOfLink),
  ];
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').split('\0')[0] ?? '';

function isDetached(pinPath: string, pin: string): boolean {
  using link = BpfLink.openPinned(`${pinPath}/${pin}`);
  return !link.attached;
}
