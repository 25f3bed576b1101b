import type { StateMemory } from '@ringfence/wire';
import type { Host } from './host.ts';
import type { Remembered } from './remembered.ts';

/** The field of a StateMemory that holds the entries of a table. */
type TableField = Exclude<keyof StateMemory, 'ordinal'>;
type Value = NonNullable<StateMemory[TableField]>;

export interface Table {
  /** First part of the keys of its entries */
  readonly letter: string;
  readonly field: TableField;
  readonly of: (host: Host) => Remembered<Value>;
}

const table = <F extends TableField>(
  letter: string,
  field: F,
  of: (host: Host) => Remembered<NonNullable<StateMemory[F]>>,
): Table => ({ letter, field, of: of as unknown as Table['of'] });

/** The bounded tables of a host. */
export const TABLES: readonly Table[] = [
  table('f', 'forward', ({ forwards }) => forwards),
  table('a', 'acceptor', ({ network }) => network.acceptors),
  table('s', 'session', ({ network }) => network.sessions),
  table('o', 'caller', ({ network }) => network.callers),
  table('k', 'keyUse', ({ network }) => network.keys),
  table('v', 'server', ({ links }) => links.servers),
  table('p', 'peers', ({ links }) => links.peers),
  table('x', 'copy', ({ links }) => links.copies),
  table('i', 'installed', ({ links }) => links.installed),
  table('j', 'settled', ({ settled }) => settled),
];

const EMPTY: Omit<StateMemory, 'ordinal'> = {
  forward: null,
  acceptor: null,
  session: null,
  caller: null,
  keyUse: null,
  server: null,
  peers: null,
  copy: null,
  installed: null,
  settled: null,
};

export const memoryRecord = (field: TableField, value: unknown, ordinal: number): StateMemory => ({
  ...EMPTY,
  ordinal,
  [field]: value,
});
