import type { Trace } from '@ringfence/base';
import type { Effect, InRecord, OutRecord, Position, StateChange, StateEntry } from '@ringfence/bus';
import type { CompiledRule, RuleSet, SequenceMatch } from '@ringfence/rules';
import {
  EventView,
  type Feedback,
  type Join,
  KIND,
  type SigningKey,
  TOPIC,
  UNKNOWN_BOOT,
  u64ToHex,
} from '@ringfence/wire';
import { compileOptions, type DetectorOptions } from './config.ts';
import { createStats, type DetectorStats } from './metrics.ts';
import { type Chain, opensBefore, refOf } from './state/chain.ts';
import { drainHost, restoreHosts } from './state/changelog.ts';
import type { FleetRarity } from './state/fleet-rarity.ts';
import { Host, isNew, type Run } from './state/host.ts';
import { BootMemories } from './state/memories.ts';
import { Rarity } from './state/rarity.ts';
import { buildAlert } from './steps/alert.ts';
import { ChainStep, type Merge } from './steps/chains.ts';
import { createCheckBatch, createCheckFeedback, createCheckJoin } from './steps/check.ts';
import { EdgeStep } from './steps/edges.ts';
import { ExchangeStep } from './steps/exchange.ts';
import { JoinStep } from './steps/joins.ts';
import { LinkStep } from './steps/links.ts';
import { PublishStep } from './steps/publish.ts';
import { createTraceSteps } from './steps/trace.ts';
import { settle, TriageStep } from './steps/triage.ts';
import { createVerifyStep, type Trust } from './steps/verify.ts';

export type Rules = RuleSet<EventView>;

/** One partition's: its hosts' memory lives and moves with it. */
export interface DetectorPipeline extends Disposable {
  /** EventBatches, Joins and Feedback in; alerts, incidents, edges, joins and state out. Throws before anything is changed: all records are checked first. */
  handle(records: readonly InRecord[]): Effect;
  /** Does what can be done side by side for a backlog before `handle` is called. */
  ahead(records: readonly InRecord[]): Promise<void>;
  /** From the next batch on these rules hold, made by `reloadRules`: what rules remember goes on. */
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
  /** what the other partitions say of their rules. @default there are no others */
  readonly fleet?: FleetRarity | undefined;
  /** told how alerts and incidents came about. @default nobody */
  readonly trace?: Trace | undefined;
  /** where to count; several pipelines of one service count together */
  readonly stats?: DetectorStats;
}

/** The same input, and what was known of the fleet, give the same bytes: no clock, no chance, no host. Timers run on ticks. */
export function createDetectorPipeline(deps: DetectorPipelineDeps): DetectorPipeline {
  const { partition = 0, stats = createStats(), key = null } = deps;
  const options = compileOptions(deps.options);
  const hosts = new Map<string, Host>();
  const verify = createVerifyStep(deps.trusted, options.keyGraceMs, stats);
  const checkBatch = createCheckBatch(verify);
  const checkJoin = createCheckJoin(verify);
  const checkFeedback = createCheckFeedback(verify);
  const tracing = createTraceSteps(deps.trace);
  const { incidentThreshold, isAgent } = options;
  const rarity = new Rarity();
  const out = new PublishStep({
    ...{ stats, key, tracing, incidentThreshold },
    write: (record) => outputs.push(record),
  });
  const exchange = new ExchangeStep({ rarity, fleet: deps.fleet, partition, key });
  const touch = (chain: Chain): void => void touched.add(chain);
  const tie = (host: Host, chain: Chain, key: string): void => void chains.tieKey(host, chain, key);
  const links = new LinkStep({ isAgent, withinUs: options.chainIdleMs * 1000, unite, tie });
  const chains = new ChainStep({ options, stats, links, rarity });
  const edges = new EdgeStep(isAgent, stats, (edge) => out.edge(edge));
  const joins = new JoinStep({
    stats,
    send: (join) => out.join(join),
    touch,
    publishMerged: (chain, into) => out.merged(host, chain, into),
    unite,
  });
  const triage = new TriageStep({
    stats,
    rarity,
    touch,
    publish: (incident) => out.incident(incident),
    forward: (feedback) => out.feedback(feedback),
  });
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

  function takeFeedback(record: InRecord, feedback: Feedback): void {
    host = hostOf(feedback.hostId, record.partition);
    stats.feedback++;
    triage.take(host, feedback);
    publishTouched();
  }

  function publishTouched(): void {
    for (const chain of [...touched].sort((a, b) => a.ordinal - b.ordinal)) out.show(host, chain);
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

  /** `about`: the event of the alert, where that is not the one in hand. */
  function raise(rule: CompiledRule<EventView>, sequence?: SequenceMatch, about: EventView = view): void {
    const alert = buildAlert(rule, about, view, sequence);
    const { chain, merges, send, news, fresh } = chains.join(host, alert, about);
    for (const merge of merges) merged(merge);
    if (send) {
      out.alert(alert);
      tracing.alert(alert, view.head, chain);
    }
    if (news) triage.wentOn(host, chain, alert.timestamp);
    if (news || !out.isShown(chain)) touched.add(chain);
    if (news || fresh.length > 0) edges.alerted(host, chain, about, fresh);
    const idle = chains.makeRoom(host);
    if (idle !== undefined) close(idle);
  }

  function merged({ absorbed, survivor }: Merge): void {
    touched.delete(absorbed);
    out.merged(host, absorbed, survivor.id);
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
    memoriesOf(rules).tick(view, rules.rules, raise);
    for (const chain of host.chains.values()) {
      const { bootId: ofChain } = chain;
      // What a Filebeat sent where no boot was known has the wall clock's time.
      const now = ofChain === UNKNOWN_BOOT ? ktime + view.head.wallOffset : ktime;
      if ((ofChain !== bootId && ofChain !== UNKNOWN_BOOT) || isIdle(chain, now)) close(chain);
      else if (chain.stale && out.isShown(chain) && host.tick % STALE_TICKS === 0) touched.add(chain);
    }
  }

  function isIdle({ lastKtime, touchedKtime, members }: Chain, ktime: number): boolean {
    const lag = members.size > 0 ? MEMBERS_LAG_US : 0;
    return ktime - Math.max(lastKtime, touchedKtime) > options.chainIdleMs * 1000 + lag;
  }

  function close(chain: Chain): void {
    touched.delete(chain);
    if (chain.survivor !== null && chain.stale) out.share(host, chain);
    host.removeChain(chain);
    joins.closed(host, chain);
    if (chain.survivor === null && out.isIncident(chain)) out.publish(host, chain, 'closed');
    host.changed.delete(chain);
    settle(host, chain);
  }

  function hostOf(id: string, partition: number): Host {
    const known = hosts.get(id) ?? new Host(id);
    hosts.set(id, known);
    known.partition = partition;
    return known;
  }

  /** Ever higher, over all topics. */
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
        if (record.topic === TOPIC.feedback) {
          const checked = checkFeedback(record);
          return { record, run: () => takeFeedback(record, checked) };
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
        for (const change of drainHost(host, memoriesOf(rules), position)) state.set(change.key, change);
      }
      const { outputs: said, state: learnt } = exchange.turn(records.at(-1)?.timestamp ?? 0, position);
      const effect = { outputs: [...outputs, ...said], state: [...state.values(), ...learnt] };
      outputs = [];
      touched = new Set();
      return effect;
    },
    setRules(next) {
      rules = next;
    },
    async restore(entries) {
      position = await restoreHosts(hosts, memoriesOf(rules), rarity, partition, entries);
    },
    stats() {
      const open = [...hosts.values()].reduce((sum, one) => sum + one.chains.size, 0);
      const forgottenConnections = [...hosts.values()].reduce(
        (sum, one) => sum + one.network.evicted + one.links.evicted,
        0,
      );
      return { ...stats, ...memoriesOf(rules).losses(), chains: open, forgottenConnections, rules: rules.rules.length };
    },
    [Symbol.dispose]() {
      for (const id of hosts.keys()) memoriesOf(rules).forgetHost(id);
    },
  };
}

/** Rules of `compileDetectorRules`, or updated from such, remember apart for each boot. */
export function memoriesOf({ memory }: Rules): BootMemories {
  if (!(memory instanceof BootMemories)) throw new TypeError('rules of the detector come from compileDetectorRules');
  return memory;
}
