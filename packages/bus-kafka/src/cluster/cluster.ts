import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '@ringfence/base';
import { BusRefusedError, BusUnavailableError, UnknownTopicError } from '@ringfence/bus';
import type { TopicPartition } from '../client/records.ts';
import { type ClusterView, isRefusal, type Node, type Wire, WireError } from '../client/wire.ts';
import type { CompiledKafkaOptions } from '../options.ts';

/** Retries for a topic that is missing from the metadata. The brokers learn of a new topic one after the other. */
const UNKNOWN_TOPIC_RETRIES = 2;
const UNKNOWN_TOPIC_PAUSE_MS = 100;
const RETRY: Backoff = { firstMs: 100, maxMs: 2000 };

/**
 * The brokers, and the leader of each partition, from the latest metadata. Callers refresh it when a broker reports
 * that it does not lead a partition. Topics have their physical names, with the prefix.
 */
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

  /** Returns the name of a topic or group on the brokers. */
  physical(name: string): string {
    return `${this.options.topicPrefix}${name}`;
  }

  /** Returns the name of a topic or group in this program. */
  logical(name: string): string {
    return name.slice(this.options.topicPrefix.length);
  }

  get brokerCount(): number {
    return this.#view.nodes.size;
  }

  /** Returns the broker that creates topics. Rejects with WireError. */
  async controller(): Promise<Node> {
    if (this.#view.nodes.size === 0) await this.refresh();
    const node = this.#view.nodes.get(this.#view.controller) ?? [...this.#view.nodes.values()][0];
    if (node === undefined) throw new WireError('NETWORK', 'the brokers name no controller');
    return node;
  }

  /** Returns the number of partitions of a topic. Rejects with UnknownTopicError and WireError. */
  async partitions(topic: string, retries: number = UNKNOWN_TOPIC_RETRIES): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      const known = this.#view.topics.get(topic);
      if (known !== undefined && known.error === null && known.leaders.length > 0) return known.leaders.length;
      this.#topics.add(topic);
      if (attempt > retries) break;
      if (attempt > 0) await sleep(UNKNOWN_TOPIC_PAUSE_MS * attempt);
      await this.refresh();
    }
    const error = this.#view.topics.get(topic)?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION';
    if (!this.#view.topics.has(topic) || /^(UNKNOWN_TOPIC|INVALID_TOPIC)/.test(error)) {
      this.#topics.delete(topic);
      throw new UnknownTopicError(this.logical(topic));
    }
    throw new WireError(error, `topic ${topic}: the brokers answered ${error}`);
  }

  /** Returns null when the leader is unknown, or the partition has none. */
  leader({ topic, partition }: TopicPartition): Node | null {
    const id = this.#view.topics.get(topic)?.leaders[partition];
    return id === undefined ? null : (this.#view.nodes.get(id) ?? null);
  }

  /** Groups partitions by their leaders. Omits partitions without a leader. */
  byLeader<T extends TopicPartition>(partitions: readonly T[]): Map<Node, T[]> {
    const groups = Map.groupBy(partitions, (partition) => this.leader(partition));
    groups.delete(null);
    return groups as Map<Node, T[]>;
  }

  /** Logs the record batches that were skipped because they could not be unpacked. */
  reportUnreadable({ topic, partition }: TopicPartition, reasons: readonly string[]): void {
    for (const reason of reasons) {
      const facts = { topic: this.logical(topic), partition, reason };
      this.options.log?.error(facts, 'records that cannot be unpacked are skipped');
    }
  }

  /** Fetches the metadata; concurrent callers share one request. Rejects with WireError. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** Like `refresh`, but ignores brokers that are away: the caller retries anyway. */
  async tryRefresh(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }

  async #refresh(): Promise<void> {
    // Repeat when a topic was added during the request, because the answer lacks it.
    for (let requested = -1; requested !== this.#topics.size; ) {
      requested = this.#topics.size;
      this.#view = await this.#wire.metadata([...this.#topics]);
    }
  }

  /**
   * Repeats a request that may be sent twice, with refreshed metadata, until it succeeds. Rejects with BusRefusedError,
   * or with BusUnavailableError at the deadline.
   */
  async retry<T>(action: string, deadlineMs: number, request: () => Promise<T>): Promise<T> {
    const until = performance.now() + deadlineMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        const pauseMs = backoffMs(attempt, RETRY);
        if (isRefusal(error.reason) || performance.now() + pauseMs > until) throw toBusError(action, error);
        await sleep(pauseMs);
        await this.tryRefresh();
      }
    }
  }
}

export function toBusError(action: string, error: WireError): BusUnavailableError | BusRefusedError {
  const Type = isRefusal(error.reason) ? BusRefusedError : BusUnavailableError;
  return new Type(action, error.reason, error.message, { cause: error });
}
