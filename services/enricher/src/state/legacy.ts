/**
 * Reads state entries that 0.1.0 wrote with its own encodings. Remove this file, its test and its fixtures once no
 * installation upgrades from 0.1.0: each entry that changes is written as Avro.
 */
import {
  type Container,
  EventCursor,
  itemType,
  itemTypeOf,
  type Process,
  type RecordTypes,
  releasedSchemas,
} from '@ringfence/wire';
import { ANY_GENERATION } from './file-identity.ts';

/** Avro entries begin with C3 01. None of the older encodings can: it would be a negative number, or invalid UTF-8. */
export const isLegacy = ([first, second]: Uint8Array): boolean => first !== 0xc3 || second !== 0x01;

type AvroType = ReturnType<typeof itemType>;

export type EnricherState =
  | 'StateBoot'
  | 'StateKnownProcess'
  | 'StateKnownContainer'
  | 'StateUser'
  | 'StateFileHash'
  | 'StateAddressNames'
  | 'StateWrites'
  | 'StateFilebeatHost'
  | 'StateFilebeatFile';

const READERS: { readonly [N in EnricherState]: (from: Reader) => RecordTypes[N] } = {
  StateBoot: readBoot,
  StateKnownProcess: readProcess,
  StateKnownContainer: readContainer,
  StateUser: (from) => ({ name: from.rest().toString('utf8') }),
  StateFileHash: readHash,
  StateAddressNames: readNames,
  StateWrites: readWrites,
  StateFilebeatHost: (from) => ({ sequence: from.bigEndian64() }),
  StateFilebeatFile: (from) => ({ highest: from.bigEndian64() - 1, recent: from.rest() }),
};

/** Returns an entry in the shape of its current record. Throws if the entry is malformed. */
export const readLegacy = <N extends EnricherState>(name: N, bytes: Uint8Array): RecordTypes[N] =>
  READERS[name](new Reader(bytes));

/** Reads the output of `AvroWriter`. Throws SchemaError at the end of the bytes. */
class Reader extends EventCursor {
  constructor(bytes: Uint8Array) {
    super();
    this.reset(Buffer.from(bytes));
  }

  get isAtEnd(): boolean {
    return this.at === this.buffer.length;
  }

  fixed(length: number): Buffer {
    const start = this.at;
    this.skip(length);
    return this.buffer.subarray(start, this.at);
  }

  boolean(): boolean {
    return this.fixed(1)[0] === 1;
  }

  text(): string {
    return this.fixed(this.long()).toString('utf8');
  }

  rest(): Buffer {
    return this.fixed(this.buffer.length - this.at);
  }

  bigEndian64(): number {
    return Number(this.fixed(8).readBigUInt64BE());
  }

  list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let remaining = this.long(); remaining > 0; remaining--) items.push(item());
    return items;
  }
}

/** The fields from `wallOffset` on were appended: entries of 0.1.0 end before them. */
function readBoot(from: Reader): RecordTypes['StateBoot'] {
  const counters = {
    tick: from.long(),
    gapSequence: from.long(),
    lastActive: from.long(),
    nextOrdinal: from.long(),
    nextExitOrdinal: from.long(),
    nextSegment: from.long(),
  };
  return {
    ...counters,
    runs: from.list(() => ({ id: from.text(), lanes: from.list(() => readLane(from)) })),
    wallOffset: from.isAtEnd ? 0 : from.long(),
    hashing: from.isAtEnd ? false : from.boolean(),
    last: from.isAtEnd
      ? null
      : { run: from.text(), sequence: from.long(), ktime: from.long(), isFinal: from.boolean() },
  };
}

function readLane(from: Reader): RecordTypes['StateBoot']['runs'][number]['lanes'][number] {
  const counters = (): Record<string, number> => Object.fromEntries(from.list(() => [from.text(), from.long()]));
  return {
    key: from.long(),
    highest: from.long(),
    holes: from.list(() => ({ from: from.long(), to: from.long(), due: from.long() })),
    drops: counters(),
    explained: counters(),
  };
}

function readProcess(from: Reader): RecordTypes['StateKnownProcess'] {
  return {
    ordinal: from.long(),
    exitTick: from.long(),
    exitOrdinal: from.long(),
    credentialsAt: from.long(),
    cgroupAt: from.long(),
    known: from.boolean(),
    ownImage: from.boolean(),
    parentPid: from.long(),
    parentStart: from.fixed(8),
    process: readItem<Process>('processes', from.rest()),
  };
}

function readContainer(from: Reader): RecordTypes['StateKnownContainer'] {
  return { goneTick: from.long(), container: readItem<Container>('containers', from.rest()) };
}

function readHash(from: Reader): RecordTypes['StateFileHash'] {
  return { ordinal: from.long(), ctime: from.long(), state: from.text(), sha256: from.rest() };
}

function readNames(from: Reader): RecordTypes['StateAddressNames'] {
  return { ordinal: from.long(), names: from.list(() => ({ name: from.text(), at: from.long() })) };
}

function readWrites(from: Reader): RecordTypes['StateWrites'] {
  const readWrite = (): RecordTypes['StateWrites']['writes'][number] => ({
    device: from.long(),
    inodeLow: from.long(),
    inodeHigh: from.long(),
    tgid: from.long(),
    startLow: from.long(),
    startHigh: from.long(),
    ktime: from.long(),
    generation: ANY_GENERATION,
  });
  return { writes: from.list(readWrite) };
}

type List = 'containers' | 'processes';

/** Types of an item of EventBatch: the current one, then those of the releases, the newest first. */
const typesOf = (list: List): readonly AvroType[] => [
  itemType('EventBatch', list),
  ...releasedSchemas()
    .filter(({ name }) => name === 'EventBatch')
    .map(({ type }) => itemTypeOf(type, list))
    .reverse(),
];
const types = new Map<List, readonly AvroType[]>();

/** Fields are only appended, so the value of another version ends too early or too late. */
function isWhole(type: AvroType, bytes: Buffer): boolean {
  const { offset } = type.decode(bytes) as { readonly offset: number };
  return offset === bytes.length;
}

/** Reads an item of EventBatch without a frame: its version is found by its length. */
function readItem<T>(list: List, bytes: Buffer): T {
  const known = types.get(list) ?? typesOf(list);
  types.set(list, known);
  const [current, ...older] = known as [AvroType, ...AvroType[]];
  const type = [current, ...older].find((candidate) => isWhole(candidate, bytes));
  // If no type fits, the current one throws the error.
  const resolver = type === undefined || type === current ? undefined : current.createResolver(type);
  return current.fromBuffer(bytes, resolver) as T;
}
