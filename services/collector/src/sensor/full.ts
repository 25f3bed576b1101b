import { BpfError, BpfObject } from '@ringfence/libbpf-ts';
import { sizeForCpus } from './sizes.ts';

const RING_BYTES = 4096;

export interface FullProfile {
  /** programs that this kernel loads and attaches */
  readonly present: ReadonlySet<string>;
  /** the others, with the reason */
  readonly lacking: ReadonlyMap<string, string>;
}

/** What of the full profile (LSM hooks) this kernel has: each program is attached for a moment, since neither version nor configuration tells. */
export function probeFullProfile(path: string): FullProfile {
  using opened = BpfObject.open(path);
  // those of sections that begin with `?`: libbpf doesn't load them by itself
  const optional = [...opened.programs.values()].filter(({ autoload }) => !autoload);
  const present = new Set<string>();
  const lacking = new Map<string, string>();
  for (const { name } of optional) {
    const why = probe(path, name);
    if (why === undefined) present.add(name);
    else lacking.set(name, why);
  }
  return { present, lacking };
}

/** Maps of its own, as small as they may be, and no pin. */
function probe(path: string, name: string): string | undefined {
  using object = BpfObject.open(path);
  for (const ring of ['rf_ring_security', 'rf_ring_bulk']) object.definition(ring).resize(RING_BYTES);
  sizeForCpus(object, 1);
  for (const program of object.programs.values()) program.autoload = program.name === name;
  try {
    object.load();
    object.program(name).attach();
    return undefined;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return error.message.split('\n')[0] ?? '';
  }
}
