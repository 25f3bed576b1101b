import type { Effect, InRecord, OutRecord, StateChange, StateEntry } from '@ringfence/bus';
import type { CompiledRule, RuleSet } from '@ringfence/rules';
import { type Alert, EventView, encode, type IncidentState, KIND, TOPIC, u64ToHex } from '@ringfence/schema';
import { compileOptions, type DetectorOptions } from './config.ts';
import { createStats, type DetectorStats } from './metrics.ts';
import type { Chain } from './state/chain.ts';
import { drainHost, restoreHosts } from './state/changelog.ts';
import { Host, isNew, type Run } from './state/host.ts';
import { BootThresholds } from './state/thresholds.ts';
import { buildAlert } from './steps/alert.ts';
import { ChainStep } from './steps/chains.ts';
import { createCheckStep } from './steps/check.ts';
import { encodeIncident } from './steps/incident.ts';
import { scoreAt } from './steps/score.ts';

export type Rules = RuleSet<EventView>;

/** One partition's: its hosts' memory lives and moves with it. */
export interface DetectorPipeline extends Disposable {
  /** EventBatches in; alerts, incidents and state out. Throws before anything is changed: all records are checked first. */
  handle(records: readonly InRecord[]): Effect;
  /** From the next batch on these rules hold, made by `reloadRules`: counts of thresholds go on. */
  setRules(rules: Rules): void;
  /** Fills empty memory with what the store held. */
  restore(entries: AsyncIterable<StateEntry>): Promise<void>;
  stats(): DetectorStats;
}

/** Repetitions alone bring out a new version of an incident only so often, in ticks. */
const STALE_TICKS = 10;

export interface DetectorPipelineDeps {
  readonly rules: Rules;
  readonly options?: DetectorOptions;
  /** @default 0 */
  readonly partition?: number;
  /** where to count; several pipelines of one service count together */
  readonly stats?: DetectorStats;
}

/** The same input gives the same bytes: no clock, no chance, no host. Timers run on ticks. */
export function createDetectorPipeline(deps: DetectorPipelineDeps): DetectorPipeline {
  const { partition = 0, stats = createStats() } = deps;
  const options = compileOptions(deps.options);
  const hosts = new Map<string, Host>();
  const check = createCheckStep();
  const chains = new ChainStep(options, stats);
  const view = new EventView();
  let rules = deps.rules;

  // Of the record in hand.
  let host = new Host('');
  let outputs: OutRecord[] = [];
  let touched = new Set<Chain>();

  function detect(record: InRecord, bytes: Buffer): void {
    view.open(bytes);
    const { hostId, bootId, run } = view.head;
    host = hostOf(hostId, record.partition);
    const ofRun = host.run(`${bootId}/${u64ToHex(run)}`);
    while (view.next()) detectEvent(ofRun);
    for (const chain of [...touched].sort((a, b) => a.ordinal - b.ordinal)) publishIfIncident(chain);
    touched.clear();
    stats.batches++;
  }

  function detectEvent(run: Run): void {
    const { cursor } = view;
    if (!isNew(run, cursor.lane, cursor.cpu, cursor.sequence, host.tick)) {
      stats.duplicates++;
      return;
    }
    stats.events++;
    rules.matcher.match(view, raise, cursor.ktime);
    if (cursor.kind === KIND.Tick) tick(view.head.bootId, cursor.ktime);
  }

  function raise(rule: CompiledRule<EventView>): void {
    const alert = buildAlert(rule, view);
    const { chain, merges, send, news } = chains.join(host, alert, view);
    for (const { absorbed, survivor } of merges) {
      touched.delete(absorbed);
      if (absorbed.version > 0) publish(absorbed, 'merged', survivor.id);
      touched.add(survivor);
    }
    if (send) outputs.push(alertRecord(alert));
    if (news || chain.version === 0) touched.add(chain);
    const idle = chains.makeRoom(host);
    if (idle !== undefined) close(idle);
  }

  /** Everything that waits for time to pass. */
  function tick(bootId: string, ktime: number): void {
    host.tick++;
    thresholdsOf(rules).expireBoot(host.id, bootId, rules.rules, ktime);
    for (const chain of host.chains.values()) {
      if (chain.bootId !== bootId || ktime - chain.lastKtime > options.chainIdleMs * 1000) close(chain);
      else if (chain.stale && chain.version > 0 && host.tick % STALE_TICKS === 0) touched.add(chain);
    }
  }

  function publishIfIncident(chain: Chain): void {
    if (chain.version === 0 && scoreAt(chain, chain.lastKtime) < options.incidentThreshold) return;
    publish(chain, 'open');
    host.counted.add(chain);
  }

  function publish(chain: Chain, state: IncidentState, mergedInto = ''): void {
    chain.version++;
    chain.stale = false;
    outputs.push({ topic: TOPIC.incidents, key: chain.id, value: encodeIncident(chain, state, mergedInto) });
    stats.incidents++;
  }

  function close(chain: Chain): void {
    touched.delete(chain);
    host.removeChain(chain);
    if (chain.version > 0 || scoreAt(chain, chain.lastKtime) >= options.incidentThreshold) publish(chain, 'closed');
  }

  function alertRecord(alert: Alert): OutRecord {
    stats.alerts++;
    return { topic: TOPIC.alerts, key: alert.hostId, value: encode('Alert', alert) };
  }

  function hostOf(id: string, partition: number): Host {
    const known = hosts.get(id) ?? new Host(id);
    hosts.set(id, known);
    known.partition = partition;
    return known;
  }

  return {
    handle(records) {
      const checked = records.map((record) => ({ record, bytes: check(record) }));
      const state = new Map<string, StateChange>();
      outputs = [];
      for (const { record, bytes } of checked) {
        detect(record, bytes);
        const changes = drainHost(host, thresholdsOf(rules), { offset: record.offset, index: 0 });
        for (const change of changes) state.set(change.key, change);
      }
      const effect = { outputs, state: [...state.values()] };
      outputs = [];
      touched = new Set();
      return effect;
    },
    setRules(next) {
      rules = next;
    },
    restore: (entries) => restoreHosts(hosts, thresholdsOf(rules), partition, entries),
    stats() {
      const open = [...hosts.values()].reduce((sum, one) => sum + one.chains.size, 0);
      return { ...stats, chains: open, rules: rules.rules.length };
    },
    [Symbol.dispose]() {
      for (const id of hosts.keys()) thresholdsOf(rules).forgetHost(id);
    },
  };
}

/** Rules of `compileDetectorRules`, or updated from such, count apart for each boot. */
function thresholdsOf({ thresholds }: Rules): BootThresholds {
  if (!(thresholds instanceof BootThresholds))
    throw new TypeError('rules of the detector come from compileDetectorRules');
  return thresholds;
}
