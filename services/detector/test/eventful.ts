import type { Effect, InRecord } from '@ringfence/bus';
import { O, type TestProcess, testRecords } from '@ringfence/testkit';
import { encodeSigned, TOPIC } from '@ringfence/wire';
import {
  createDetectorPipeline,
  createEdgePipeline,
  type DetectorPipeline,
  type EdgePipeline,
  type Rules,
} from '../src/index.ts';
import { createStats } from '../src/metrics.ts';
import { FleetRarity } from '../src/state/fleet-rarity.ts';
import { Machine } from './fleet.ts';
import { createFeed, createTestRules, found, RULES, TestStore } from './support.ts';

const REMEMBERING = `${RULES}
- rule: Many connections
  desc: A process connects to many ports
  condition: event.action = connect
  priority: error
  tags: [discovery, T1046]
  threshold: { distinct: destination.port, at_least: 3, by: [process.entity_id], within: 1h }
- rule: Wrote, then connected
  desc: A process writes a file of cron and connects
  condition: sequence by process.entity_id with maxspan=1h [ event.action = open and file.open.write = true ] [ event.action = connect ]
  priority: error
- rule: New port
  desc: A process connects to a port that is new on its host
  condition: event.action = connect
  first_seen: { by: [process.executable, destination.port], within: 20h, learn: 2s }
  priority: notice
`;

/** Returns the rules of `Eventful`: some of them remember events. */
export const createEventfulRules = (): Rules => createTestRules(REMEMBERING);

/**
 * Two hosts of one partition, and what happens on them: an attack over SSH that becomes one incident, chains that
 * merge, feedback, local connections, copies of files, and events that rules remember. Every kind of state entry exists
 * afterwards. The same calls give the same bytes, so that a test can continue from a state that another version wrote.
 */
export class Eventful {
  readonly web: Machine = new Machine(1);
  readonly db: Machine = new Machine(2);
  readonly store: TestStore = new TestStore();
  readonly edgeStore: TestStore = new TestStore();
  readonly effects: Effect[] = [];
  readonly #feeds = new Map<Machine, ReturnType<typeof createFeed>>();
  readonly shells: { readonly web: TestProcess; readonly db: TestProcess };
  readonly detector: DetectorPipeline;
  readonly edges: EdgePipeline = this.createEdges();
  /** Records that the second stage has handled. */
  readonly edgesSeen: InRecord[] = [];

  constructor() {
    this.detector = this.createDetector();
    const { web, db } = this;
    for (const { host } of [web, db]) host.hashes();
    db.describe('10.0.0.2');
    this.#feedback();
    const shell = web.webShell();
    web.ssh(shell, db, 41_000);
    db.wait(3_601_000_000);
    const inside = db.login(web.address, 41_000);
    db.logLogin(inside.parent?.parent, { from: web.address, port: 41_000, fingerprint: 'SHA256:abc' });
    db.persist(inside);
    this.shells = { web: shell, db: inside };
    this.deliver(web);
    this.deliver(db);
    this.#linkLocally();
    this.#mergeTwo();
    // Repetitions alone write the counts of a chain.
    for (let i = 0; i < 5; i++) db.persist(inside);
    this.deliver(db);
    for (let i = 0; i < 5; i++) web.host.spawn(web.host.init, '/usr/bin/true');
    this.deliver(web);
    for (let second = 0; second < 3; second++) web.host.tick();
    this.deliver(web, 20_000_000);
  }

  createDetector(): DetectorPipeline {
    const fleet = new FleetRarity();
    const rules = [{ rule: 'Cron changed', chains: 7, truePositives: 1, falsePositives: 2 }];
    fleet.update({ partition: 3, at: 1, rules, keyId: '', signature: Buffer.alloc(64) });
    return createDetectorPipeline({ rules: createEventfulRules(), fleet });
  }

  createEdges(): EdgePipeline {
    return createEdgePipeline({ stats: createStats() });
  }

  /** Returns the records of what has happened on a machine since the last call. */
  next(machine: Machine): InRecord[] {
    const feed = this.#feeds.get(machine) ?? createFeed(machine.host);
    this.#feeds.set(machine, feed);
    return feed.next();
  }

  /** Sends what happened on a machine through both stages, until nothing is left to do. */
  deliver(machine: Machine, timestamp = 0): Effect[] {
    const queue: InRecord[] = this.next(machine).map((record) => ({ ...record, timestamp }));
    const made: Effect[] = [];
    for (let record = queue.shift(); record !== undefined; record = queue.shift()) {
      const isEdge = record.topic === TOPIC.edges;
      const effect = (isEdge ? this.edges : this.detector).handle([record]);
      (isEdge ? this.edgeStore : this.store).apply(effect);
      if (isEdge) this.edgesSeen.push(record);
      made.push(effect);
      for (const { topic, key, value } of effect.outputs)
        if (value !== null && (topic === TOPIC.edges || topic === TOPIC.joins))
          queue.push(...testRecords(key, [value], topic));
    }
    this.effects.push(...made);
    return made;
  }

  /** An incident is judged a false positive, and its chain closes. */
  #feedback(): void {
    const { host } = this.web;
    host.credentials(host.spawn(host.init, '/opt/agent'), 0);
    const [incident] = this.deliver(this.web).flatMap((effect) => found(effect).incidents);
    const change = { status: 'triaged', verdict: 'false_positive', by: 'ann', note: 'a test', at: 5 } as const;
    const { id: subject = '', hostId = '' } = incident ?? {};
    const value = encodeSigned('Feedback', { subject, hostId, change, incident: null }, null);
    this.store.apply(this.detector.handle(testRecords(hostId, [value], TOPIC.feedback)));
    this.web.wait(3_600_000_000);
    host.tick();
    this.deliver(this.web);
  }

  #linkLocally(): void {
    const { host } = this.web;
    const [server, client] = [host.spawn(host.init, '/opt/server'), host.spawn(host.init, '/opt/client')];
    host.socket(server, { operation: 3, result: 0, port: 6379 });
    host.connect(client, '127.0.0.1', 6379);
    host.hash(host.spawn(host.init, '/bin/bash'), '/bin/bash', { sha256: '11'.repeat(32) });
    host.open(client, '/var/copy', O.WRONLY | O.CREAT);
    host.hash(host.spawn(client, '/var/copy'), '/var/copy', { sha256: '22'.repeat(32) });
    this.web.steal(client);
    this.deliver(this.web);
  }

  /** Two sessions of the second host become one chain: one of them runs what the other wrote. */
  #mergeTwo(): void {
    const { db } = this;
    const [first, second] = [db.login('10.0.0.8', 50_001), db.login('10.0.0.9', 50_002)];
    db.steal(first);
    db.steal(second);
    db.host.connect(first, '10.0.0.7', 8080, { localAddress: db.address, localPort: 50_003 });
    this.deliver(db);
    db.host.open(second, '/tmp/tool', O.WRONLY | O.CREAT);
    db.host.spawn(first, '/tmp/tool');
    this.deliver(db);
  }
}
