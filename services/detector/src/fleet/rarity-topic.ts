import { setTimeout as sleep } from 'node:timers/promises';
import { fateOf, type Log } from '@ringfence/base';
import type { Bus, InRecord } from '@ringfence/bus';
import { followTopic } from '@ringfence/bus/follow';
import { deadLetter, TOPIC } from '@ringfence/wire';
import type { DetectorStats } from '../metrics.ts';
import { FleetRarity } from '../state/fleet-rarity.ts';
import { createCheckRuleCounts } from '../steps/check.ts';
import { createVerifyStep, type Trust } from '../steps/verify.ts';

export interface RarityTopicDeps {
  readonly bus: Pick<Bus, 'read' | 'produce'>;
  readonly trusted: Trust | undefined;
  readonly keyGraceMs: number;
  readonly stats: DetectorStats;
  readonly log: Log | undefined;
}

const RETRY_MS = 1000;

/** Follows ringfence.rarity, which has one record for each partition. */
export class RarityTopic implements AsyncDisposable {
  readonly fleet: FleetRarity = new FleetRarity();
  readonly #deps: RarityTopicDeps;
  readonly #check: ReturnType<typeof createCheckRuleCounts>;
  readonly #stop = new AbortController();
  /** Offset of the next record to handle */
  #next = 0;
  #following: Promise<void> = Promise.resolve();

  private constructor(deps: RarityTopicDeps) {
    this.#deps = deps;
    this.#check = createCheckRuleCounts(createVerifyStep(deps.trusted, deps.keyGraceMs, deps.stats));
  }

  /**
   * Resolves when the whole topic is read, because a part of it would make common rules look rare. Rejects if the topic
   * can't be read.
   */
  static async open(deps: RarityTopicDeps): Promise<RarityTopic> {
    const topic = new RarityTopic(deps);
    for await (const record of deps.bus.read({ topic: TOPIC.rarity })) await topic.#handle(record);
    topic.#following = topic.#follow();
    return topic;
  }

  #follow(): Promise<void> {
    const { bus, log } = this.#deps;
    return followTopic({
      bus,
      topic: TOPIC.rarity,
      signal: this.#stop.signal,
      take: (record) => this.#handle(record),
      interrupted: (err) => log?.warn({ err }, `${TOPIC.rarity} can't be read; reading it again`),
      maxPauseMs: RETRY_MS,
    });
  }

  async #handle(record: InRecord): Promise<void> {
    // A tombstone carries no signature.
    if (record.offset < this.#next || record.value === null) return;
    while (!this.#stop.signal.aborted) {
      const error = this.#refusal(record);
      // The enrolment of the writer may still arrive.
      if (fateOf(error) === 'retriable')
        await sleep(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
      else {
        if (error !== undefined) await this.#sendToDeadLetter(record, error);
        this.#next = record.offset + 1;
        return;
      }
    }
  }

  #refusal(record: InRecord): unknown {
    try {
      this.fleet.update(this.#check(record));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #sendToDeadLetter(record: InRecord, err: unknown): Promise<void> {
    const { offset } = record;
    this.#deps.log?.error({ err, offset }, 'counts of rules are invalid; they go to the dead letters');
    await this.#deps.bus.produce([deadLetter(record, err, 'detector/rarity')]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }
}
