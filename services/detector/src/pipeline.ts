import type { Effect, InRecord, OutRecord, Position, StateChange, StateEntry } from '@ringfence/bus';
import type { CompiledRule, RuleSet } from '@ringfence/rules';
import {
  type Alert,
  EventView,
  encodeSigned,
  type IncidentState,
  type Join,
  KIND,
  type SigningKey,
  TOPIC,
  type Trace,
  UNKNOWN_BOOT,
  u64ToHex,
} from '@ringfence/schema';
import { compileOptions, type DetectorOptions } from './config.ts';
import { createStats, type DetectorStats } from './metrics.ts';
import { type Chain, opensBefore, refOf } from './state/chain.ts';
import { drainHost, restoreHosts } from './state/changelog.ts';
import { Host, isNew, type Run } from './state/host.ts';
import { Rarity } from './state/rarity.ts';
import { BootThresholds } from './state/thresholds.ts';
import { buildAlert } from './steps/alert.ts';
import { ChainStep, type Merge } from './steps/chains.ts';
import { createCheckBatch, createCheckJoin } from './steps/check.ts';
import { EdgeStep } from './steps/edges.ts';
import type { Names } from './steps/fold.ts';
import { encodeIncident, shared } from './steps/incident.ts';
import { JoinStep, type NewJoin } from './steps/joins.ts';
import { LinkStep } from './steps/links.ts';
import { scoreOfAll } from './steps/score.ts';
import { createTraceSteps } from './steps/trace.ts';
import { createVerifyStep, type Trust } from './steps/verify.ts';

export type Rules = RuleSet<EventView>;

/** One partition's: its hosts' memory lives and moves with it. */
export interface DetectorPipeline extends Disposable {
  /** EventBatches and Joins in; alerts, incidents, edges, joins and state out. Throws before anything is changed: all records are checked first. */
  handle(records: readonly InRecord[]): Effect;
  /** Does what can be done side by side for a backlog before `handle` is called. */
  ahead(records: readonly InRecord[]): Promise<void>;
  /** From the next batch on these rules hold, made by `reloadRules`: counts of thresholds go on. */
  setRules(rules: Rules): void;
  /** Fills empty memory with what the store held. */
  restore(entries: AsyncIterable<StateEntry>): Promise<void>;
  stats(): DetectorStats;
}

/** Repetitions alone bring out a new version of an incident only so often, in ticks. */
const STALE_TICKS = 10;
/** How much longer than a chain of one host an incident waits for members whose hosts are behind, µs. */
const MEMBERS_LAG_US = 300_000_000;

export interface DetectorPipelineDeps {
  readonly rules: Rules;
  readonly options?: DetectorOptions;
  /** signs what it writes; null: unsigned. @default null */
  readonly key?: SigningKey | null;
  /** whose signatures records need. @default none is looked at */
  readonly trusted?: Trust | undefined;
  /** @default 0 */
  readonly partition?: number;
  /** told how alerts and incidents came about. @default nobody */
  readonly trace?: Trace | undefined;
  /** where to count; several pipelines of one service count together */
  readonly stats?: DetectorStats;
}

/** The same input gives the same bytes: no clock, no chance, no host. Timers run on ticks. */
export function createDetectorPipeline(deps: DetectorPipelineDeps): DetectorPipeline {
  const { partition = 0, stats = createStats(), key = null } = deps;
  const options = compileOptions(deps.options);
  const hosts = new Map<string, Host>();
  const verify = createVerifyStep(deps.trusted, options.keyGraceMs, stats);
  const checkBatch = createCheckBatch(verify);
  const checkJoin = createCheckJoin(verify);
  const rarity = new Rarity();
  const links = new LinkStep({
    isAgent: options.isAgent,
    withinUs: options.chainIdleMs * 1000,
    unite,
    tie: (host, chain, key) => void chains.tieKey(host, chain, key),
  });
  const chains = new ChainStep({ options, stats, links, rarity });
  const edges = new EdgeStep(options.isAgent, stats, (edge) => {
    stats.edges++;
    outputs.push({ topic: TOPIC.edges, key: edge.edge, value: encodeSigned('Edge', edge, key) });
  });
  const joins = new JoinStep({ stats, send: sendJoin, touch: (chain) => touched.add(chain), publishMerged, unite });
  const tracing = createTraceSteps(deps.trace);
  const view = new EventView();
  let rules = deps.rules;
  /** of the last record */
  let position: Position = { offset: 0, index: 0 };

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
    publishTouched();
    stats.batches++;
  }

  function join(record: InRecord, join: Join): void {
    host = hostOf(join.hostId, record.partition);
    joins.take(host, join);
    publishTouched();
  }

  function publishTouched(): void {
    for (const chain of [...touched].sort((a, b) => a.ordinal - b.ordinal)) {
      if (chain.survivor === null) publishIfIncident(chain);
      else share(chain);
    }
    touched.clear();
  }

  function detectEvent(run: Run): void {
    const { cursor } = view;
    if (!isNew(run, cursor.lane, cursor.cpu, cursor.sequence, host.tick)) {
      stats.duplicates++;
      return;
    }
    stats.events++;
    edges.note(host, view);
    links.note(host, view);
    rules.matcher.match(view, raise, cursor.ktime);
    if (cursor.kind === KIND.Tick) tick(view.head.bootId, cursor.ktime);
  }

  function raise(rule: CompiledRule<EventView>): void {
    const alert = buildAlert(rule, view);
    const { chain, merges, send, news, fresh } = chains.join(host, alert, view);
    for (const merge of merges) merged(merge);
    if (send) {
      outputs.push(alertRecord(alert));
      tracing.alert(alert, view.head, chain);
    }
    if (news || !isShown(chain)) touched.add(chain);
    if (news || fresh.length > 0) edges.alerted(host, chain, view, fresh);
    const idle = chains.makeRoom(host);
    if (idle !== undefined) close(idle);
  }

  function merged({ absorbed, survivor }: Merge): void {
    touched.delete(absorbed);
    publishMerged(absorbed, survivor.id);
    joins.absorbed(host, survivor, absorbed);
    touched.add(survivor);
  }

  /** Two chains of one host turned out to be one attack, though no alert says so. */
  function unite(host: Host, a: Chain, b: Chain, why: string): void {
    const [survivor, absorbed] = opensBefore(refOf(a), refOf(b)) ? [a, b] : [b, a];
    merged(chains.absorb(host, survivor, absorbed, why));
  }

  /** Everything that waits for time to pass. */
  function tick(bootId: string, ktime: number): void {
    host.tick++;
    host.ktime = ktime;
    thresholdsOf(rules).expireBoot(host.id, bootId, rules.rules, ktime);
    for (const chain of host.chains.values()) {
      const { bootId: ofChain } = chain;
      // What a Filebeat sent where no boot was known has the wall clock's time.
      const now = ofChain === UNKNOWN_BOOT ? ktime + view.head.wallOffset : ktime;
      if ((ofChain !== bootId && ofChain !== UNKNOWN_BOOT) || isIdle(chain, now)) close(chain);
      else if (chain.stale && isShown(chain) && host.tick % STALE_TICKS === 0) touched.add(chain);
    }
  }

  function isIdle({ lastKtime, touchedKtime, members }: Chain, ktime: number): boolean {
    const lag = members.size > 0 ? MEMBERS_LAG_US : 0;
    return ktime - Math.max(lastKtime, touchedKtime) > options.chainIdleMs * 1000 + lag;
  }

  /** Somebody sees its changes: on ringfence.incidents, or as part of another. */
  const isShown = ({ published, survivor }: Chain): boolean => published || survivor !== null;

  const isIncident = (chain: Chain): boolean => chain.published || scoreOfAll(chain) >= options.incidentThreshold;

  function publishIfIncident(chain: Chain): void {
    if (!isIncident(chain)) return;
    publish(chain, 'open');
    host.counted.add(chain);
  }

  function publish(chain: Chain, state: IncidentState, mergedInto = ''): void {
    const isFirst = !chain.published;
    if (isFirst) host.changed.add(chain);
    chain.published = true;
    chain.version++;
    chain.stale = false;
    tracing.incident(chain, isFirst);
    const value = encodeIncident(chain, state, mergedInto, namesOf(host), key);
    outputs.push({ topic: TOPIC.incidents, key: chain.id, value });
    stats.incidents++;
  }

  function publishMerged(chain: Chain, into: string): void {
    if (chain.published) publish(chain, 'merged', into);
  }

  /** To the incident of another host that it is part of. */
  function share(chain: Chain): void {
    const { survivor } = chain;
    if (survivor === null) return;
    chain.version++;
    chain.stale = false;
    host.counted.add(chain);
    const { chainId, hostId, openedAt, tie } = survivor;
    const into = { chainId, hostId, openedAt };
    stats.joinsSent++;
    tracing.incident(chain, false);
    sendJoin({ hostId, into, from: refOf(chain), chain: shared(chain, namesOf(host)), ...tie });
  }

  function sendJoin(join: NewJoin): void {
    outputs.push({ topic: TOPIC.joins, key: join.hostId, value: encodeSigned('Join', join, key) });
  }

  function close(chain: Chain): void {
    touched.delete(chain);
    if (chain.survivor !== null && chain.stale) share(chain);
    host.removeChain(chain);
    joins.closed(host, chain);
    if (chain.survivor === null && isIncident(chain)) publish(chain, 'closed');
    host.changed.delete(chain);
  }

  function alertRecord(alert: Alert): OutRecord {
    stats.alerts++;
    return { topic: TOPIC.alerts, key: alert.hostId, value: encodeSigned('Alert', alert, key) };
  }

  function hostOf(id: string, partition: number): Host {
    const known = hosts.get(id) ?? new Host(id);
    hosts.set(id, known);
    known.partition = partition;
    return known;
  }

  /** Ever higher, over both topics. */
  function moveTo({ topic, offset }: InRecord): void {
    const further = topic === TOPIC.events && offset > position.offset;
    position = further ? { offset, index: 0 } : { offset: position.offset, index: position.index + 1 };
  }

  return {
    ahead: verify.ahead,
    handle(records) {
      const work = records.map((record) => {
        if (record.topic === TOPIC.joins) {
          const checked = checkJoin(record);
          return { record, run: () => join(record, checked) };
        }
        const bytes = checkBatch(record);
        return { record, run: () => detect(record, bytes) };
      });
      const state = new Map<string, StateChange>();
      outputs = [];
      for (const { record, run } of work) {
        moveTo(record);
        tracing.begin(record);
        run();
        for (const change of drainHost(host, thresholdsOf(rules), position)) state.set(change.key, change);
      }
      const effect = { outputs, state: [...state.values()] };
      outputs = [];
      touched = new Set();
      return effect;
    },
    setRules(next) {
      rules = next;
    },
    async restore(entries) {
      position = await restoreHosts(hosts, thresholdsOf(rules), partition, entries);
      for (const one of hosts.values()) rarity.add(one);
    },
    stats() {
      const open = [...hosts.values()].reduce((sum, one) => sum + one.chains.size, 0);
      const forgottenConnections = [...hosts.values()].reduce(
        (sum, one) => sum + one.network.evicted + one.links.evicted,
        0,
      );
      return { ...stats, chains: open, forgottenConnections, rules: rules.rules.length };
    },
    [Symbol.dispose]() {
      for (const id of hosts.keys()) thresholdsOf(rules).forgetHost(id);
    },
  };
}

const namesOf = ({ id, network: { hostname } }: Host): Names => ({ id, hostname });

/** Rules of `compileDetectorRules`, or updated from such, count apart for each boot. */
function thresholdsOf({ thresholds }: Rules): BootThresholds {
  if (!(thresholds instanceof BootThresholds))
    throw new TypeError('rules of the detector come from compileDetectorRules');
  return thresholds;
}
