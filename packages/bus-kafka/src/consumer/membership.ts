import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, LogThrottle } from '@ringfence/base';
import { UnknownTopicError } from '@ringfence/bus';
import type { TopicPartition } from '../client/records.ts';
import {
  type FetchFrom,
  isRefusal,
  type Joined,
  type Member,
  type Node,
  type OffsetAt,
  type Wire,
  WireError,
} from '../client/wire.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Stats } from '../stats.ts';
import { assign, type MemberClaim } from './assignor.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
} from './group-protocol.ts';

const PROTOCOL = 'ringfence-by-number';
/** Errors of a coordinator that has removed this member and given its partitions to others. */
const EXPELLED: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);
/** A member learns of a rebalance by its next heartbeat, and the whole group waits for it. */
const HEARTBEAT_MS = 1000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;
/** Longest pause after a refusal, which lasts until someone changes a permission. */
const MAX_REFUSED_RETRY_MS = 30_000;
const LOG_EVERY_MS = 60_000;
const NO_GENERATION = -1;
const NEVER_JOINED = -2;

export interface Generation {
  readonly generation: number;
  readonly assigned: readonly TopicPartition[];
  /** No other member can have owned a partition in between that this member owned before and owns again. */
  readonly isContinuous: boolean;
}

/**
 * A member of a consumer group, in Kafka's classic protocol. It rejoins only when `join` is called, from inside a
 * poll: while a batch is in hand, the heartbeats continue and the other members wait, up to the rebalance timeout.
 */
export class Membership {
  readonly group: string;
  readonly #cluster: Cluster;
  readonly #wire: Wire;
  readonly #topics: readonly string[];
  readonly #stats: Stats;
  readonly #onChange: () => void;
  readonly #warnings = new LogThrottle(LOG_EVERY_MS);
  #memberId = '';
  #generation = NO_GENERATION;
  /** The generation that assigned the current partitions. */
  #heldGeneration = NEVER_JOINED;
  #owned: readonly number[] = [];
  #mustJoin = true;
  #coordinator: Node | null = null;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  /** When the coordinator last confirmed the membership, of performance.now(). */
  #confirmedAt = -Infinity;
  #closed = false;

  /** `topics` are physical names. `onChange` is called when a rebalance begins, and after an expulsion. */
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

  /** Whether the next poll has to join. */
  get mustJoin(): boolean {
    return this.#mustJoin;
  }

  /** Whether this member owns its partitions, as far as it knows. */
  get isMember(): boolean {
    return this.#heldGeneration === this.#generation;
  }

  get #member(): Member {
    return { group: this.group, memberId: this.#memberId, generation: this.#generation };
  }

  /** Joins the group, and retries while the brokers are away. Returns null when it was closed meanwhile. */
  async join(): Promise<Generation | null> {
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        const joined = await this.#joinOnce();
        if (joined !== null) return joined;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.#warn(error, 'cannot join the group; retrying');
        this.#forgetCoordinator(error.reason);
        const maxMs = isRefusal(error.reason) ? MAX_REFUSED_RETRY_MS : MAX_RETRY_MS;
        await sleep(backoffMs(attempt, { firstMs: FIRST_RETRY_MS, maxMs }));
        await this.#cluster.tryRefresh();
      }
    }
    return null;
  }

  async #joinOnce(): Promise<Generation | null> {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#cluster.options;
    const metadata = encodeSubscription({ topics: this.#topics, owned: this.#owned, generation: this.#heldGeneration });
    const node = await this.#findCoordinator();
    this.#stopHeartbeats();
    const { group } = this;
    const joined = await this.#wire.joinGroup(node, {
      group,
      memberId: this.#memberId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocol: PROTOCOL,
      metadata,
    });
    if (joined.error !== null) return this.#handleRefusal(joined.error);
    this.#memberId = joined.memberId;
    this.#generation = joined.generation;
    this.#stats.add('rebalances');
    const { error, assignment } = await this.#wire.syncGroup(node, this.#member, PROTOCOL, await this.#plan(joined));
    if (error !== null) return this.#handleRefusal(error);
    const assigned = decodeAssignment(assignment).flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    const isContinuous = this.#heldGeneration === this.#generation - 1;
    this.#heldGeneration = this.#generation;
    this.#owned = [...new Set(assigned.map(({ partition }) => partition))];
    this.#mustJoin = false;
    this.#confirmedAt = performance.now();
    this.#scheduleHeartbeat();
    return { generation: this.#generation, assigned, isContinuous };
  }

  /** Returns the assignment of each member if this one is the leader, and an empty plan otherwise. */
  async #plan({ leader, memberId, members }: Joined): Promise<ReadonlyMap<string, Buffer>> {
    if (leader !== memberId) return new Map();
    const claims = members.map(
      (member): MemberClaim => ({ memberId: member.memberId, ...this.#claimOf(member.metadata) }),
    );
    const topics = [...new Set(claims.flatMap((claim) => claim.topics))];
    const counts = await Promise.all(topics.map((topic) => this.#countOf(topic)));
    const plan = assign(claims, new Map(topics.map((topic, i) => [topic, counts[i]!])));
    return new Map([...plan].map(([id, assigned]) => [id, encodeAssignment(assigned)]));
  }

  /** A member with another protocol gets no partitions. */
  #claimOf(metadata: Buffer): Subscription {
    try {
      return decodeSubscription(metadata);
    } catch (error) {
      const { log } = this.#cluster.options;
      log?.error({ err: error, group: this.group }, 'the group has a foreign member: it gets no partitions');
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

  #handleRefusal(reason: string): null {
    if (EXPELLED.has(reason)) {
      this.#handleExpulsion();
      return null;
    }
    if (reason === 'REBALANCE_IN_PROGRESS') return null;
    throw new WireError(reason, `group ${this.group}: the coordinator answered ${reason}`);
  }

  #handleExpulsion(): void {
    this.#memberId = '';
    this.#generation = NO_GENERATION;
    this.#heldGeneration = NEVER_JOINED;
    this.#mustJoin = true;
    this.#stopHeartbeats();
    this.#onChange();
  }

  #scheduleHeartbeat(): void {
    clearTimeout(this.#heartbeatTimer);
    if (this.#closed) return;
    const everyMs = Math.min(HEARTBEAT_MS, this.#cluster.options.sessionTimeoutMs / 3);
    this.#heartbeatTimer = setTimeout(() => void this.#heartbeat(), everyMs);
    // The pipeline keeps the process alive. A consumer that is not polled must not.
    this.#heartbeatTimer.unref();
  }

  #stopHeartbeats(): void {
    clearTimeout(this.#heartbeatTimer);
    this.#heartbeatTimer = undefined;
  }

  async #heartbeat(): Promise<void> {
    try {
      await this.confirm();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (!this.#closed) this.#warn(error, 'cannot send a heartbeat to the coordinator; retrying');
    }
    if (this.isMember) this.#scheduleHeartbeat();
  }

  /** Asks the coordinator whether this process is still a member. Rejects with WireError. */
  async confirm(): Promise<boolean> {
    if (!this.isMember) return false;
    const { generation } = this.#member;
    let reason: string | null;
    try {
      reason = await this.#wire.heartbeat(await this.#findCoordinator(), this.#member);
    } catch (error) {
      if (error instanceof WireError) this.#forgetCoordinator(error.reason);
      throw error;
    }
    if (generation !== this.#generation) return this.isMember;
    return this.#isStillMember(reason);
  }

  /** Evaluates an answer of the coordinator. Throws WireError when the answer does not decide the question. */
  #isStillMember(reason: string | null): boolean {
    if (reason !== null && EXPELLED.has(reason)) {
      this.#handleExpulsion();
      return false;
    }
    if (reason === 'REBALANCE_IN_PROGRESS') {
      this.#mustJoin = true;
      this.#onChange();
    } else if (reason !== null) {
      this.#forgetCoordinator(reason);
      throw new WireError(reason, `group ${this.group}: the coordinator answered ${reason}`);
    }
    this.#confirmedAt = performance.now();
    return true;
  }

  /** Like `confirm`, but accepts a recent answer. A process that was stopped for a while has none. */
  async confirmRecent(): Promise<boolean> {
    if (!this.isMember) return false;
    const recentMs = this.#cluster.options.sessionTimeoutMs / 2;
    return performance.now() - this.#confirmedAt < recentMs || this.confirm();
  }

  /**
   * Commits offsets. `later`: a rebalance is in progress. `lost`: this process is no longer a member, and nothing was
   * written. Rejects with WireError.
   */
  async commitOffsets(offsets: readonly FetchFrom[]): Promise<'written' | 'later' | 'lost'> {
    if (!this.isMember) return 'lost';
    try {
      const reason = await this.#wire.commitOffsets(await this.#findCoordinator(), this.#member, offsets);
      if (!this.#isStillMember(reason)) return 'lost';
      return reason === null ? 'written' : 'later';
    } catch (error) {
      if (error instanceof WireError) this.#forgetCoordinator(error.reason);
      throw error;
    }
  }

  /** Returns the offsets that the group has committed, -1 for a partition without one. Rejects with WireError. */
  async committed(partitions: readonly TopicPartition[]): Promise<readonly OffsetAt[]> {
    try {
      const found = await this.#wire.committed(await this.#findCoordinator(), this.group, partitions);
      const failed = found.find(({ error }) => error !== null);
      if (failed !== undefined)
        throw new WireError(failed.error!, `offsets of group ${this.group}: the coordinator answered ${failed.error}`);
      return found;
    } catch (error) {
      if (error instanceof WireError) this.#forgetCoordinator(error.reason);
      throw error;
    }
  }

  /** Leaves the group, so that the other members need not wait for the session timeout. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopHeartbeats();
    if (this.#memberId === '' || this.#coordinator === null) return;
    try {
      await this.#wire.leaveGroup(this.#coordinator, this.#member);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#warn(error, 'cannot leave the group: its session will time out');
    }
  }

  async #findCoordinator(): Promise<Node> {
    this.#coordinator ??= await this.#wire.coordinator(this.group);
    return this.#coordinator;
  }

  #forgetCoordinator(reason: string): void {
    if (/COORDINATOR|NETWORK|TIMEOUT/.test(reason)) this.#coordinator = null;
  }

  #warn(error: WireError, message: string): void {
    if (this.#warnings.shouldLog(message) === null) return;
    this.#cluster.options.log?.warn({ err: error, group: this.group }, message);
  }
}
