import type { Trace } from '@ringfence/base';
import type { Effect, InRecord, OutRecord, Position, StateChange, StateEntry } from '@ringfence/bus';
import { type SigningKey, TOPIC } from '@ringfence/wire';
import { compileOptions, type DetectorOptions } from './config.ts';
import { ExchangeCounts } from './fleet/exchange.ts';
import { createStats, type DetectorStats } from './metrics.ts';
import { createParts } from './parts.ts';
import { type Checked, handleRecord } from './pipeline.ts';
import type { Rules } from './rules.ts';
import { drainHost, restoreHosts } from './state/changelog.ts';
import type { FleetRarity } from './state/fleet-rarity.ts';
import { Host } from './state/host.ts';
import { memoriesOf } from './state/memories.ts';
import { Rarity } from './state/rarity.ts';
import { createCheckBatch, createCheckFeedback, createCheckJoin } from './steps/check.ts';
import { createTraceSteps } from './steps/trace.ts';
import { createVerifyStep, type Trust, type Verify } from './steps/verify.ts';

/** The first stage for one partition: the memory of its hosts lives here and moves with the partition. */
export interface DetectorPipeline extends Disposable {
  /**
   * Handles EventBatches, Joins and Feedback; returns alerts, incidents, edges, joins and state. Throws before anything
   * is changed, because all records are checked first.
   */
  handle(records: readonly InRecord[]): Effect;
  /** Verifies the signatures of a backlog in parallel, before `handle` is called. */
  ahead(records: readonly InRecord[]): Promise<void>;
  /** Uses these rules, which `reloadRules` made, from the next batch on; the memory of the rules is kept. */
  setRules(rules: Rules): void;
  /** Fills empty memory from the state store. */
  restore(entries: AsyncIterable<StateEntry>): Promise<void>;
  stats(): DetectorStats;
}

export interface DetectorPipelineDeps {
  readonly rules: Rules;
  readonly options?: DetectorOptions;
  /** Signs all records that are written; null: unsigned. @default null */
  readonly key?: SigningKey | null;
  /** The keys that records must be signed with. @default signatures are not verified */
  readonly trusted?: Trust | undefined;
  /** @default 0 */
  readonly partition?: number;
  /** Counts of rules of the other partitions. @default there are no others */
  readonly fleet?: FleetRarity | undefined;
  /** Called with how alerts and incidents came about. @default not called */
  readonly trace?: Trace | undefined;
  /** Pipelines of one service share these counters. */
  readonly stats?: DetectorStats;
}

/** The same input, with the same counts of the fleet, gives the same bytes: no clock is read, timers run on ticks. */
export function createDetectorPipeline(deps: DetectorPipelineDeps): DetectorPipeline {
  const { partition = 0, stats = createStats(), key = null } = deps;
  const options = compileOptions(deps.options);
  const hosts = new Map<string, Host>();
  const rarity = new Rarity();
  const verify = createVerifyStep(deps.trusted, options.keyGraceMs, stats);
  const check = createCheck(verify);
  const tracing = createTraceSteps(deps.trace);
  const parts = createParts({ options, stats, rarity, tracing, key });
  const exchange = new ExchangeCounts({ rarity, fleet: deps.fleet, partition, key });
  let rules = deps.rules;
  let position: Position = { offset: 0, index: 0 };

  function hostOf(id: string, ofPartition: number): Host {
    const host = hosts.get(id) ?? new Host(id);
    hosts.set(id, host);
    host.partition = ofPartition;
    return host;
  }

  return {
    ahead: verify.ahead,
    handle(records) {
      const checked = records.map((record) => ({ record, content: check(record) }));
      const outputs: OutRecord[] = [];
      const state = new Map<string, StateChange>();
      for (const { record, content } of checked) {
        position = nextPosition(position, record);
        tracing.begin(record);
        const host = hostOf(record.key, record.partition);
        handleRecord(parts, rules, { host, touched: new Set(), outputs }, content);
        for (const change of drainHost(host, memoriesOf(rules), position)) state.set(change.key, change);
      }
      const exchanged = exchange.exchange(records.at(-1)?.timestamp ?? 0, position);
      return { outputs: [...outputs, ...exchanged.outputs], state: [...state.values(), ...exchanged.state] };
    },
    setRules(next) {
      rules = next;
    },
    async restore(entries) {
      position = await restoreHosts(hosts, memoriesOf(rules), rarity, partition, entries);
    },
    stats: () => ({ ...stats, ...memoriesOf(rules).losses(), ...sumsOf(hosts), rules: rules.rules.length }),
    [Symbol.dispose]() {
      for (const id of hosts.keys()) memoriesOf(rules).forgetHost(id);
    },
  };
}

/** The key of each record is the id of its host. */
function createCheck(verify: Verify): (record: InRecord) => Checked {
  const checkBatch = createCheckBatch(verify);
  const checkJoin = createCheckJoin(verify);
  const checkFeedback = createCheckFeedback(verify);
  return (record) => {
    if (record.topic === TOPIC.joins) return { join: checkJoin(record) };
    if (record.topic === TOPIC.feedback) return { feedback: checkFeedback(record) };
    return { batch: checkBatch(record) };
  };
}

/** Positions grow over all topics; only offsets of events compare. */
function nextPosition(position: Position, { topic, offset }: InRecord): Position {
  if (topic === TOPIC.events && offset > position.offset) return { offset, index: 0 };
  return { offset: position.offset, index: position.index + 1 };
}

function sumsOf(hosts: ReadonlyMap<string, Host>): Pick<DetectorStats, 'chains' | 'forgottenConnections'> {
  let chains = 0;
  let forgottenConnections = 0;
  for (const host of hosts.values()) {
    chains += host.chains.size;
    forgottenConnections += host.network.evicted + host.links.evicted;
  }
  return { chains, forgottenConnections };
}
