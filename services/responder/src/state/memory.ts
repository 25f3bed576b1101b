import type { InRecord, StateChange, StateEntry } from '@ringfence/bus';
import { type InputPosition, StateTable, type StateTableOptions } from '@ringfence/service-kit';
import type { StateKillLimit, StateOrder } from '@ringfence/wire';
import { StateError } from '../errors.ts';
import type { Run } from '../playbook/run.ts';
import {
  type CommandEntry,
  decodeCommand,
  decodeKillLimit,
  decodeOrder,
  decodeRun,
  encodeCommand,
  encodeKillLimit,
  encodeOrder,
  encodeRun,
} from './codec.ts';

/** The state stores of the responder, one for each table. */
export const STORES = {
  orders: 'ringfence.state.responder.orders',
  limits: 'ringfence.state.responder.limits',
  commands: 'ringfence.state.responder.commands',
  runs: 'ringfence.state.responder.runs',
} as const;

export const STORE_NAMES: readonly string[] = Object.values(STORES);

const MAX_ORDERS = 50_000;
const MAX_HOSTS = 100_000;
const MAX_COMMANDS = 10_000;
const MAX_RUNS = 10_000;

function table<T>(options: StateTableOptions<T>): StateTable<T> {
  const { store, decode } = options;
  return new StateTable<T>({
    ...options,
    decode: (bytes) => {
      try {
        return decode(bytes);
      } catch (cause) {
        throw new StateError(store, { cause });
      }
    },
  });
}

/**
 * The state of one partition, which moves with it from responder to responder. Each kind of entry has a table of its
 * own, so that a flood of orders evicts neither limits nor open commands.
 */
export class Memory {
  /**
   * Commands that were ordered, and runs whose signal was written, by their id; and the latest command for each
   * process, by `entity/` and its id
   */
  readonly orders: StateTable<StateOrder> = table({
    ...{ store: STORES.orders, encode: encodeOrder, decode: decodeOrder, maxEntries: MAX_ORDERS },
  });
  /** Recent kills, by host */
  readonly limits: StateTable<StateKillLimit> = table({
    ...{ store: STORES.limits, encode: encodeKillLimit, decode: decodeKillLimit, maxEntries: MAX_HOSTS },
  });
  /** Enforced commands, by their id */
  readonly commands: StateTable<CommandEntry> = table({
    ...{ store: STORES.commands, encode: encodeCommand, decode: decodeCommand, maxEntries: MAX_COMMANDS },
  });

  /** Runs of playbooks, by their id */
  readonly runs: StateTable<Run> = table({
    ...{ store: STORES.runs, encode: encodeRun, decode: decodeRun, maxEntries: MAX_RUNS },
  });

  async restore(restore: (store: string) => AsyncIterable<StateEntry>, partition: number): Promise<void> {
    await this.orders.restore(restore(STORES.orders), partition);
    await this.limits.restore(restore(STORES.limits), partition);
    await this.commands.restore(restore(STORES.commands), partition);
    await this.runs.restore(restore(STORES.runs), partition);
  }

  drain(): StateChange[] {
    return [...this.orders.drain(), ...this.limits.drain(), ...this.commands.drain(), ...this.runs.drain()];
  }

  rollback(): void {
    this.orders.rollback();
    this.limits.rollback();
    this.commands.rollback();
    this.runs.rollback();
  }
}

export const positionOf = ({ partition, offset }: InRecord): InputPosition => ({ partition, offset, index: 0 });
