import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bootMicros, readJson, writeAtomically } from '@ringfence/host-kit';
import { BpfLink, BpfMap, type Mapping } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { isPinned, pinnedHooks, programOf } from './pins.ts';
import { isSound } from './records/record-check.ts';
import { RunState } from './run.ts';

const MAP = 'rf_tamperings';
const OWN_LINKS = 'rf_own_links';
const MARKER = 'sensor.json';
const ENTRY = records.SIZEOF_TAMPERING_ENTRY;
const PROGRAM_MAX = records.TAMPERING_ENTRY_PROGRAM_LENGTH;

/** Entries of rf_tamperings (struct rf_tampering_entry) that nobody has told yet, oldest first. */
export interface Tampering {
  /** each in memory of its own */
  readonly entries: readonly Buffer[];
  /** number of the last one */
  readonly last: bigint;
  /** how many came before these and were overwritten */
  readonly lost: number;
}

/** Reads what is done to the agent where the sensor writes it. */
export class TamperingLog implements Disposable {
  readonly #mapping: Mapping;
  readonly #run: RunState;
  #taken: bigint;

  constructor(map: Pick<BpfMap, 'memory'>, run: RunState) {
    this.#mapping = map.memory({ writable: false });
    this.#run = run;
    this.#taken = run.tampering;
  }

  /** What came since the last call, or since the last agent told it. */
  take(): Tampering {
    const found = untold(this.#mapping.buffer, this.#taken);
    this.#taken = found.last;
    return found;
  }

  /** What was taken is on the bus, or in the spool. */
  told(): void {
    if (this.#run.tampering !== this.#taken) this.#run.tampering = this.#taken;
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}

function untold(memory: ArrayBuffer, told: bigint): Tampering {
  const entries: Buffer[] = [];
  const numbers = new BigUint64Array(memory, 0, Math.floor(memory.byteLength / 8));
  for (let at = 0; at + ENTRY <= memory.byteLength; at += ENTRY)
    if ((numbers[(at + records.HEADER_SEQUENCE) / 8] as bigint) > told)
      entries.push(Buffer.from(Buffer.from(memory, at, ENTRY)));
  if (entries.length === 0) return { entries, last: told, lost: 0 };
  const whole = entries.filter((entry) => sequenceOf(entry, 0) > told && isWhole(entry));
  whole.sort((a, b) => Number(sequenceOf(a, 0) - sequenceOf(b, 0)));
  const last = whole.at(-1);
  const end = last === undefined ? told : sequenceOf(last, 0);
  return { entries: whole, last: end, lost: Number(end - told) - whole.length };
}

const sequenceOf = (entry: Buffer, at: number): bigint => entry.readBigUInt64LE(at + records.HEADER_SEQUENCE);

const isWhole = (entry: Buffer): boolean =>
  isSound(new DataView(entry.buffer, entry.byteOffset, entry.length), 0, entry.length);

/** Key: id of a link; value: the program's name. */
export function noteLink(links: Pick<BpfMap, 'set'>, id: number, program: string): void {
  const name = Buffer.alloc(PROGRAM_MAX);
  name.write(program.slice(0, PROGRAM_MAX - 1), 'latin1');
  links.set(id, { program: name });
}

/** Programs whose hooks were attached, and are gone or were detached since. */
export function damagedHooks(pinPath: string): readonly string[] {
  if (!isPinned(`${pinPath}/${OWN_LINKS}`)) return [];
  const pins = pinnedHooks(pinPath);
  const pinned = new Set(pins.map((pin) => programOf(pin).slice(0, PROGRAM_MAX - 1)));
  using links = BpfMap.openPinnedBytes(`${pinPath}/${OWN_LINKS}`);
  // The program's name is all of the value.
  const attached = [...links.entries()].map(([, program]) => textOf(program));
  return [
    ...attached.filter((program) => !pinned.has(program)),
    ...pins.filter((pin) => isDetached(pinPath, pin)).map(programOf),
  ];
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').split('\0')[0] ?? '';

function isDetached(pinPath: string, pin: string): boolean {
  using link = BpfLink.openPinned(`${pinPath}/${pin}`);
  return !link.attached;
}

interface Marker {
  readonly bootId: string;
  readonly pinPath: string;
}

/** Says to the next start that the sensor was left in the kernel, unless `unmark` has been called. */
export function markSensor(stateDir: string, marker: Marker): void {
  writeAtomically(join(stateDir, MARKER), JSON.stringify(marker));
}

export function unmarkSensor(stateDir: string): void {
  rmSync(join(stateDir, MARKER), { force: true });
}

/**
 * What was done while no agent ran, as far as the sensor that is pinned can't tell it itself: that it, or a hook of it, is gone; and, when it is to be
 * replaced, what stands in its map.
 */
export function pastTampering(stateDir: string, here: Marker, resumable: boolean): readonly Buffer[] {
  const { pinPath } = here;
  if (!isPinned(RunState.path(pinPath))) return wasLeft(stateDir, here) ? [removal('', 1)] : [];
  using run = RunState.open(pinPath);
  if (!run.readable) return [];
  // While the agent itself takes its hooks away, it isn't damage.
  const damaged = run.hooks === 0 ? [] : damagedHooks(pinPath);
  const entries = resumable ? [] : untoldOf(pinPath, run);
  return damaged.length === 0 ? entries : [...entries, removal(damaged[0] ?? '', damaged.length)];
}

function wasLeft(stateDir: string, { bootId, pinPath }: Marker): boolean {
  const marker = readJson(join(stateDir, MARKER)) as Partial<Marker> | null;
  return marker?.bootId === bootId && marker.pinPath === pinPath;
}

function untoldOf(pinPath: string, run: RunState): readonly Buffer[] {
  if (!isPinned(`${pinPath}/${MAP}`)) return [];
  using map = BpfMap.openPinnedBytes(`${pinPath}/${MAP}`);
  using log = new TamperingLog(map, run);
  return log.take().entries;
}

/** As the sensor would have written it, had it been there. */
function removal(program: string, count: number): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.writeBigUInt64LE(BigInt(bootMicros()) * 1000n, records.HEADER_KTIME);
  entry.writeUInt32LE(ENTRY, records.HEADER_SIZE);
  entry.writeUInt16LE(records.Kind.TAMPERING, records.HEADER_KIND);
  entry.writeUInt32LE(records.TamperingOperation.TAMPERING_SENSOR_REMOVED, records.TAMPERING_OPERATION);
  entry.writeUInt32LE(count, records.TAMPERING_COUNT);
  const length = entry.write(program.slice(0, PROGRAM_MAX), records.TAMPERING_ENTRY_PROGRAM, 'latin1');
  entry.writeUInt32LE(records.TAMPERING_ENTRY_PROGRAM, records.TAMPERING_PROGRAM + records.TEXT_OFFSET);
  entry.writeUInt32LE(length, records.TAMPERING_PROGRAM + records.TEXT_KEPT);
  entry.writeUInt32LE(length, records.TAMPERING_PROGRAM + records.TEXT_LENGTH);
  return entry;
}
