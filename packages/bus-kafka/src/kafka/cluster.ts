import { setTimeout as sleep } from 'node:timers/promises';
import { BusRefusedError, BusUnavailableError, UnknownTopicError } from '@ringfence/bus';
import { backoffMs } from './deadline.ts';
import type { CompiledKafkaOptions } from './options.ts';
import { type ClusterView, isRefusal, type Node, type TopicPartition, type Wire, WireError } from './wire.ts';

/** How often a topic that no broker names is asked for again: one that was just made is not known to all of them at once. */
const UNKNOWN_RETRIES = 2;
const RETRY_MS = 100;

/** Which broker leads which partition, as far as we know; asked again when a broker says otherwise. Topics are named as the brokers name them. */
export class Cluster {
  readonly options: CompiledKafkaOptions;
  readonly #wire: Wire;
  readonly #topics: Set<string> = new Set();
  #view: ClusterView = { nodes: new Map(), controller: -1, topics: new Map() };
  #refreshing: Promise<void> | null = null;

  constructor(options: CompiledKafkaOptions, wire: Wire) {
    this.options = options;
    this.#wire = wire;
  }

  /** As the brokers name it. */
  physical(name: string): string {
    return `${this.options.topicPrefix}${name}`;
  }

  logical(name: string): string {
    return name.slice(this.options.topicPrefix.length);
  }

  get brokerCount(): number {
    return this.#view.nodes.size;
  }

  /** The broker that makes topics. */
  async controller(): Promise<Node> {
    if (this.#view.nodes.size === 0) await this.refresh();
    const node = this.#view.nodes.get(this.#view.controller) ?? [...this.#view.nodes.values()][0];
    if (node === undefined) throw new WireError('NETWORK', 'the brokers name no controller');
    return node;
  }

  /** How many partitions a topic has. Rejects with UnknownTopicError. */
  async partitions(topic: string, retries: number = UNKNOWN_RETRIES): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      const known = this.#view.topics.get(topic);
      if (known !== undefined && known.error === null && known.leaders.length > 0) return known.leaders.length;
      this.#topics.add(topic);
      if (attempt > retries) break;
      if (attempt > 0) await sleep(RETRY_MS * attempt);
      await this.refresh();
    }
    const error = this.#view.topics.get(topic)?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION';
    if (!this.#view.topics.has(topic) || /^(UNKNOWN_TOPIC|INVALID_TOPIC)/.test(error)) {
      this.#topics.delete(topic);
      throw new UnknownTopicError(this.logical(topic));
    }
    throw new WireError(error, `topic ${topic}: the brokers say ${error}`);
  }

  /** null: not known, or none now */
  leader({ topic, partition }: TopicPartition): Node | null {
    const id = this.#view.topics.get(topic)?.leaders[partition];
    return id === undefined ? null : (this.#view.nodes.get(id) ?? null);
  }

  /** Says that batches of a partition can't be unpacked and are passed over. */
  reportUnreadable({ topic, partition }: TopicPartition, reasons: readonly string[]): void {
    for (const reason of reasons) {
      const at = { topic: this.logical(topic), partition, reason };
      this.options.log?.error(at, 'records that can not be unpacked are passed over');
    }
  }

  /** Groups what is to be asked by the broker to ask; what has no leader now is left out. */
  byLeader<T extends TopicPartition>(all: readonly T[]): Map<Node, T[]> {
    const groups = Map.groupBy(all, (one) => this.leader(one));
    groups.delete(null);
    return groups as Map<Node, T[]>;
  }

  /** Asks the brokers, once for all who want to know at the time. Rejects with WireError. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    // A topic that is named while the answer is on its way would be missing from it.
    for (let asked = -1; asked !== this.#topics.size; ) {
      asked = this.#topics.size;
      this.#view = await this.#wire.metadata([...this.#topics]);
    }
  }

  /** Asks again until it is answered, each time with fresh leaders; for what is read, and so may be asked twice. Rejects with Bus… errors. */
  async insist<T>(what: string, deadlineMs: number, ask: () => Promise<T>): Promise<T> {
    const until = performance.now() + deadlineMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        const pauseMs = backoffMs(attempt, RETRY_MS, 2000);
        if (isRefusal(error.reason) || performance.now() + pauseMs > until) throw toBusError(what, error);
        await sleep(pauseMs);
        await this.refresh().catch((failure: unknown) => {
          if (!(failure instanceof WireError)) throw failure;
        });
      }
    }
  }
}

export function toBusError(what: string, error: WireError): BusUnavailableError | BusRefusedError {
  const Type = isRefusal(error.reason) ? BusRefusedError : BusUnavailableError;
  return new Type(what, error.reason, error.message, { cause: error });
}
