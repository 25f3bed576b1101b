import { setTimeout as sleep } from 'node:timers/promises';
import { UnknownTopicError } from '@ringfence/bus';
import { assign, type MemberClaim } from './assignor.ts';
import type { Cluster } from './cluster.ts';
import { backoffMs } from './deadline.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
} from './group-protocol.ts';
import type { Stats } from './stats.ts';
import {
  type FetchFrom,
  isRefusal,
  type Joined,
  type Member,
  type Node,
  type OffsetAt,
  type TopicPartition,
  type Wire,
  WireError,
} from './wire.ts';

const PROTOCOL = 'ringfence-by-number';
/** The coordinator no longer knows us: what we had is given to others. */
const EXPELLED: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);
/** The others wait for as long as one of us doesn't know that somebody has come or gone. */
const HEARTBEAT_MS = 1000;
const LOG_EVERY_MS = 60_000;

export interface Generation {
  readonly generation: number;
  readonly assigned: readonly TopicPartition[];
  /** Nobody else can have had in between what was ours before and is ours again. */
  readonly continuous: boolean;
}

/**
 * One member of a consumer group, by Kafka's classic protocol. It joins when told to, never by itself: while a batch is in hand its heartbeats go on, the
 * others wait (up to the rebalance timeout), and only at the next poll it joins anew and gives away what it must.
 */
export class Membership {
  readonly group: string;
  readonly #cluster: Cluster;
  readonly #wire: Wire;
  readonly #topics: readonly string[];
  readonly #stats: Stats;
  readonly #onChange: () => void;
  #memberId = '';
  #generation = -1;
  /** the generation in which we last held partitions */
  #settled = -2;
  #owned: readonly number[] = [];
  #mustJoin = true;
  #coordinator: Node | null = null;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  /** of performance.now(): when the coordinator last said we are one of them */
  #confirmedAt = -Infinity;
  #warnedAt = -Infinity;
  #closed = false;

  /** `topics` as the brokers name them; `onChange`: a rebalance begins, or we are out. */
  constructor(
    group: string,
    topics: readonly string[],
    { cluster, wire, stats, onChange }: { cluster: Cluster; wire: Wire; stats: Stats; onChange: () => void },
  ) {
    this.group = group;
    this.#topics = topics;
    this.#cluster = cluster;
    this.#wire = wire;
    this.#stats = stats;
    this.#onChange = onChange;
  }

  /** The next poll has to join. */
  get mustJoin(): boolean {
    return this.#mustJoin;
  }

  /** We hold partitions, as far as we know. */
  get isMember(): boolean {
    return this.#settled === this.#generation;
  }

  get #member(): Member {
    return { group: this.group, memberId: this.#memberId, generation: this.#generation };
  }

  /** Joins, and goes on trying as long as the brokers are away. null: closed meanwhile. */
  async join(): Promise<Generation | null> {
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        const joined = await this.#joinOnce();
        if (joined !== null) return joined;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.#warn(error, 'the group cannot be joined; it is tried again');
        this.#forgetCoordinator(error.reason);
        await sleep(backoffMs(attempt, 100, isRefusal(error.reason) ? 30_000 : 5000));
        await this.#refresh();
      }
    }
    return null;
  }

  async #joinOnce(): Promise<Generation | null> {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#cluster.options;
    const metadata = encodeSubscription({ topics: this.#topics, owned: this.#owned, generation: this.#settled });
    const node = await this.#find();
    this.#stopHeartbeats();
    const { group } = this;
    const joined = await this.#wire.join(node, {
      group,
      memberId: this.#memberId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocol: PROTOCOL,
      metadata,
    });
    if (joined.error !== null) return this.#refused(joined.error);
    this.#memberId = joined.memberId;
    this.#generation = joined.generation;
    this.#stats.add('rebalances');
    const { error, assignment } = await this.#wire.sync(node, this.#member, PROTOCOL, await this.#plan(joined));
    if (error !== null) return this.#refused(error);
    const assigned = decodeAssignment(assignment).flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    const continuous = this.#settled === this.#generation - 1;
    this.#settled = this.#generation;
    this.#owned = [...new Set(assigned.map(({ partition }) => partition))];
    this.#mustJoin = false;
    this.#confirmedAt = performance.now();
    this.#scheduleHeartbeat();
    return { generation: this.#generation, assigned, continuous };
  }

  /** What the leader gives to whom; nothing, when we are not the leader. */
  async #plan({ leader, memberId, members }: Joined): Promise<ReadonlyMap<string, Buffer>> {
    if (leader !== memberId) return new Map();
    const claims = members.map((one): MemberClaim => ({ memberId: one.memberId, ...this.#claimOf(one.metadata) }));
    const topics = [...new Set(claims.flatMap((claim) => claim.topics))];
    const counts = await Promise.all(topics.map((topic) => this.#countOf(topic)));
    const plan = assign(claims, new Map(topics.map((topic, i) => [topic, counts[i]!])));
    return new Map([...plan].map(([id, own]) => [id, encodeAssignment(own)]));
  }

  /** A member that says nothing we understand gets nothing. */
  #claimOf(metadata: Buffer): Subscription {
    try {
      return decodeSubscription(metadata);
    } catch (error) {
      const { log } = this.#cluster.options;
      log?.error({ err: error, group: this.group }, 'a member of the group is none of ours; it gets no partitions');
      return { topics: [], owned: [], generation: -1 };
    }
  }

  async #countOf(topic: string): Promise<number> {
    try {
      return await this.#cluster.partitions(topic);
    } catch (error) {
      if (error instanceof UnknownTopicError) return 0;
      throw error;
    }
  }

  #refused(reason: string): null {
    if (EXPELLED.has(reason)) {
      this.#expelled();
      return null;
    }
    if (reason === 'REBALANCE_IN_PROGRESS') return null;
    throw new WireError(reason, `group ${this.group}: the coordinator says ${reason}`);
  }

  #expelled(): void {
    this.#memberId = '';
    this.#generation = -1;
    this.#settled = -2;
    this.#mustJoin = true;
    this.#stopHeartbeats();
    this.#onChange();
  }

  #scheduleHeartbeat(): void {
    clearTimeout(this.#heartbeatTimer);
    if (this.#closed) return;
    const everyMs = Math.min(HEARTBEAT_MS, this.#cluster.options.sessionTimeoutMs / 3);
    this.#heartbeatTimer = setTimeout(() => void this.#beat(), everyMs);
    // A consumer that nobody polls doesn't keep the process alive; its pipeline does.
    this.#heartbeatTimer.unref();
  }

  #stopHeartbeats(): void {
    clearTimeout(this.#heartbeatTimer);
    this.#heartbeatTimer = undefined;
  }

  async #beat(): Promise<void> {
    try {
      await this.confirm();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (!this.#closed) this.#warn(error, 'no heartbeat reaches the coordinator; it is tried again');
    }
    if (this.isMember) this.#scheduleHeartbeat();
  }

  /** Asks the coordinator whether we are still a member. Rejects with WireError when it can't be asked. */
  async confirm(): Promise<boolean> {
    if (!this.isMember) return false;
    const { generation } = this.#member;
    let reason: string | null;
    try {
      reason = await this.#wire.heartbeat(await this.#find(), this.#member);
    } catch (error) {
      if (error instanceof WireError) this.#forgetCoordinator(error.reason);
      throw error;
    }
    if (generation !== this.#generation) return this.isMember;
    return this.#heard(reason);
  }

  /** Still a member, after what the coordinator said. */
  #heard(reason: string | null): boolean {
    if (reason !== null && EXPELLED.has(reason)) {
      this.#expelled();
      return false;
    }
    if (reason === 'REBALANCE_IN_PROGRESS') {
      this.#mustJoin = true;
      this.#onChange();
    } else if (reason !== null) {
      this.#forgetCoordinator(reason);
      throw new WireError(reason, `group ${this.group}: the coordinator says ${reason}`);
    }
    this.#confirmedAt = performance.now();
    return true;
  }

  /** As `confirm`, but a recent answer is good enough: after a stop of the process there is none. */
  async confirmRecent(): Promise<boolean> {
    if (!this.isMember) return false;
    const recentMs = this.#cluster.options.sessionTimeoutMs / 2;
    return performance.now() - this.#confirmedAt < recentMs || this.confirm();
  }

  /** `later`: not in the middle of a rebalance; `lost`: we are no member any more, and nothing was written. Rejects with WireError. */
  async commitOffsets(offsets: readonly FetchFrom[]): Promise<'written' | 'later' | 'lost'> {
    if (!this.isMember) return 'lost';
    try {
      const reason = await this.#wire.commitOffsets(await this.#find(), this.#member, offsets);
      if (!this.#heard(reason)) return 'lost';
      return reason === null ? 'written' : 'later';
    } catch (error) {
      if (error instanceof WireError) this.#forgetCoordinator(error.reason);
      throw error;
    }
  }

  /** What the group has committed; offset -1: nothing. Rejects with WireError. */
  async committed(partitions: readonly TopicPartition[]): Promise<readonly OffsetAt[]> {
    try {
      const found = await this.#wire.committed(await this.#find(), this.group, partitions);
      const failed = found.find(({ error }) => error !== null);
      if (failed !== undefined)
        throw new WireError(failed.error!, `offsets of group ${this.group}: the coordinator says ${failed.error}`);
      return found;
    } catch (error) {
      if (error instanceof WireError) this.#forgetCoordinator(error.reason);
      throw error;
    }
  }

  /** Leaves, so that the others needn't wait for the session to time out. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopHeartbeats();
    if (this.#memberId === '' || this.#coordinator === null) return;
    try {
      await this.#wire.leave(this.#coordinator, this.#member);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#warn(error, 'the group could not be left; the session times out by itself');
    }
  }

  async #find(): Promise<Node> {
    this.#coordinator ??= await this.#wire.coordinator(this.group);
    return this.#coordinator;
  }

  #forgetCoordinator(reason: string): void {
    if (/COORDINATOR|NETWORK|TIMEOUT/.test(reason)) this.#coordinator = null;
  }

  async #refresh(): Promise<void> {
    try {
      await this.#cluster.refresh();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }

  #warn(error: WireError, message: string): void {
    if (performance.now() - this.#warnedAt < LOG_EVERY_MS) return;
    this.#warnedAt = performance.now();
    this.#cluster.options.log?.warn({ err: error, group: this.group }, message);
  }
}
