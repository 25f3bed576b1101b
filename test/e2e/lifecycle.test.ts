import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { kafkaMissing } from '@ringfence/dev-servers';
import { startTcpProxy } from '@ringfence/dev-servers/in-process';
import { loadIdentity } from '@ringfence/identity';
import { collidingSchema } from '@ringfence/synthetic';
import {
  type Alert,
  alertId,
  createSigningKey,
  decode,
  EventView,
  encode,
  eventId,
  FRAME_BYTES,
  fingerprint,
  LANE,
  learnSchema,
  portableSchema,
  publishSchema,
  type RecordName,
  type ReleasedSchema,
  releasedSchemas,
  SIGNATURE_BYTES,
  type SigningKey,
  signBytes,
  signedPart,
  TOPIC,
  typeOf,
} from '@ringfence/wire';
import { SmallFleet, START_TIMEOUT_MS } from './lib/fleet.ts';
import { exitSignal, type FleetAgent, isAlive, type ReportedProcess } from './lib/fleet-agent.ts';
import { until } from './lib/wait.ts';

const MAIN = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const TIMEOUT_MS = 120_000;
const SERVICES = ['auditor', 'enricher', 'detector', 'responder'] as const;

/** Requests a file name that no other rule requests. */
const READS = `- rule: Reads
  desc: A file of this test is read.
  condition: event.action = open and file.name = rf-of-this-test
  output: "%file.path"
  priority: notice
  tags: [collection]
`;

type Type = ReleasedSchema['type'];

/** Encodes and signs a record with this schema. */
function encodeSigned(type: Type, value: unknown, key: SigningKey): Buffer {
  const schemaFingerprint = fingerprint(JSON.stringify(type.schema()));
  return sign(Buffer.concat([Buffer.from([0xc3, 1]), schemaFingerprint, type.toBuffer(value)]), key);
}

function sign(bytes: Buffer, key: SigningKey): Buffer {
  const part = signedPart(bytes);
  part.signature.set(signBytes(key, part.signed));
  return bytes;
}

function released(name: RecordName): Type {
  const schema = releasedSchemas().find((candidate) => candidate.version === '0.1.0' && candidate.name === name);
  assert.ok(schema, `0.1.0 has no ${name}`);
  return schema.type;
}

/** Waits for the alert of the process that has `mark` in its arguments. */
function alertOf(fleet: SmallFleet, mark: string): Promise<Alert> {
  const find = async (): Promise<Alert | undefined> => {
    using audit = fleet.audit();
    return (await Array.fromAsync(audit.alerts())).find(({ output }) => output.includes(mark));
  };
  return until(`the alert of ${mark}`, find, TIMEOUT_MS);
}

async function values(fleet: SmallFleet, topic: string): Promise<Uint8Array[]> {
  const records = await Array.fromAsync(fleet.bus.read({ topic }));
  return records.flatMap(({ value }) => value ?? []);
}

const KEY_ID_BYTES = 17;

/** Returns the schema of an Alert with an additional field, as a future version could have. */
function futureSchema(): string {
  const schema = JSON.parse(portableSchema('Alert')) as { fields: object[] };
  // keyId and signature are always the last fields.
  schema.fields.splice(-2, 0, { name: 'later', type: 'string', default: '' });
  return JSON.stringify(schema);
}

/** Returns a made-up schema with the fingerprint of the future one, and with its priorities in the opposite order. */
function madeUpSchema(schemaFingerprint: string): string {
  const { fields, ...record } = typeOf('Alert').schema() as unknown as {
    readonly fields: readonly { readonly name: string; readonly type: { readonly symbols?: readonly string[] } }[];
  };
  const reversed = fields.map((field) =>
    field.name === 'priority'
      ? { ...field, type: { ...field.type, symbols: field.type.symbols?.toReversed() } }
      : field,
  );
  return collidingSchema(schemaFingerprint, (name) =>
    JSON.stringify({ ...record, fields: reversed.toSpliced(-2, 0, { name, type: 'string' } as never) }),
  );
}

/** Encodes `alert` as that version does. @param schemaFingerprint fingerprint of the schema, in hex */
function encodeFuture(alert: Alert, schemaFingerprint: string, key: SigningKey): Buffer {
  const bytes = encode('Alert', { ...alert, keyId: key.keyId });
  const last = bytes.length - SIGNATURE_BYTES - KEY_ID_BYTES;
  const frame = [Buffer.from([0xc3, 1]), Buffer.from(schemaFingerprint, 'hex')];
  const extraField = Buffer.from('\u0008more');
  return sign(Buffer.concat([...frame, bytes.subarray(FRAME_BYTES, last), extraField, bytes.subarray(last)]), key);
}

/** Sends a batch every 50 ms, records its events, and starts a victim every 50 batches. */
class Load {
  readonly events = new Set<string>();
  readonly marks = new Set<string>();
  readonly victims: ReportedProcess[] = [];
  readonly #agent: FleetAgent;
  readonly #loop: Promise<void>;
  #ended = false;

  constructor(agent: FleetAgent) {
    this.#agent = agent;
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    const { host } = this.#agent;
    for (let n = 0; !this.#ended; n++) {
      this.#agent.syncClock();
      const mark = `rfbystander load-${n}.`;
      host.exit(host.spawn(host.init, '/bin/true', ['true', ...(n % 5 === 0 ? [mark] : [])]));
      if (n % 5 === 0) this.marks.add(mark);
      if (n % 50 === 25) this.victims.push(this.#agent.startReported(`rfvictim load-${n}.`));
      host.tick(0);
      const { events, ...origin } = decode('RawBatch', await this.#agent.send());
      for (const { lane, cpu, sequence, body } of events)
        if (lane !== LANE.context && !('ringfence.Tick' in body)) this.events.add(eventId(origin, lane, cpu, sequence));
      await sleep(50);
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#loop;
  }
}

/** Returns the ids of the events on the bus, with the number of copies of each. */
async function storedEvents(fleet: SmallFleet): Promise<Map<string, number>> {
  const view = new EventView();
  const found = new Map<string, number>();
  for (const value of await values(fleet, TOPIC.events)) {
    view.open(Buffer.from(value));
    while (view.next()) found.set(view.id, (found.get(view.id) ?? 0) + 1);
  }
  return found;
}

interface Doctor {
  readonly code: number;
  readonly fleet: Readonly<Record<string, { readonly ok: boolean; readonly found: string }>>;
}

const CONDITIONS = process.execArgv.filter((arg) => arg.startsWith('--conditions'));

/** Runs a command that must succeed, and returns its stdout. */
async function ringfence(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [...CONDITIONS, MAIN, ...args])).stdout;
}

/** Runs `ringfence doctor` with the settings of a member. */
async function doctor(fleet: SmallFleet, name: string): Promise<Doctor> {
  const args = [...CONDITIONS, MAIN, 'doctor', '--json'];
  const child = spawn(process.execPath, [...args, '--config', fleet.member(name).configFile]);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>]);
  const { fleet: checks } = JSON.parse(output) as { fleet: { name: string; ok: boolean; found: string }[] };
  return { code, fleet: Object.fromEntries(checks.map(({ name: check, ...rest }) => [check, rest])) };
}

describe('a fleet', { skip: kafkaMissing() }, () => {
  test('can be upgraded member by member, stopped under load and started in any order', async (t) => {
    await using fleet = await SmallFleet.start();
    await fleet.join();
    const agent = await fleet.agent();

    await t.test('the doctor of a service reports its identity, its certificate and reachable servers', async () => {
      const { code, fleet: checks } = await doctor(fleet, 'detector');
      assert.deepEqual([code, Object.keys(checks)], [0, ['identity', 'brokers', 'registrar']]);
      assert.match(checks['identity']?.found ?? '', /^detector \(detector\), certificate until 20/);
      assert.ok(checks['brokers']?.ok && checks['registrar']?.ok);
    });

    await t.test('a host that is disconnected while the rules change is listed until it has caught up', async () => {
      await using proxy = await startTcpProxy(fleet.endpoints[0] ?? '');
      await using late = await fleet.agent([proxy.address]);
      const newest = (): number => agent.host.interestVersion;
      /** Both hosts report the version of their interest; the metric counts the hosts behind. */
      const areBehind = async (count: number): Promise<boolean> => {
        for (const { host } of [agent, late]) host.tick(0);
        await Promise.all([agent.send(), late.send()]);
        return (await fleet.metrics('enricher')).includes(`\nringfence_enricher_hosts_behind ${count}\n`);
      };
      await until(
        'both hosts to have the interest',
        () => newest() > 0 && late.host.interestVersion === newest(),
        TIMEOUT_MS,
      );
      await until('no host to be behind', () => areBehind(0), TIMEOUT_MS);

      await proxy.set({ refuse: true });
      await until('the end of the stream', () => !late.connected, TIMEOUT_MS);
      const older = newest();
      writeFileSync(join(fleet.directory, 'rules/more.yaml'), READS);
      await until('the new interest', () => newest() > older, TIMEOUT_MS);
      await until('one host to be behind', () => areBehind(1), TIMEOUT_MS);
      assert.equal(late.host.interestVersion, older);
      const shown = await ringfence('topology', '--fleet', fleet.directory);
      assert.match(shown, new RegExp(`^ {2}1 host with the current interest \\(${newest()}\\)$`, 'm'));
      assert.match(shown, new RegExp(`^ {2}1 host with an older interest \\(${older}\\): ${late.hostId}$`, 'm'));

      await proxy.set({});
      await until('the host to have the interest', () => late.host.interestVersion === newest(), TIMEOUT_MS);
      await until('no host to be behind again', () => areBehind(0), TIMEOUT_MS);
      const after = await ringfence('topology', '--fleet', fleet.directory);
      assert.match(after, /^ {2}2 hosts with the current interest/m);
      assert.doesNotMatch(after, /older/);
    });

    await t.test('current services accept an agent of 0.1.0', async () => {
      const victim = agent.startReported('rfvictim of 0.1.0');
      const batch = decode('RawBatch', agent.host.batch());
      const value = encodeSigned(released('RawBatch'), batch, agent.host.key);
      await agent.bus.produce([{ topic: TOPIC.raw, key: agent.hostId, value }]);
      assert.equal(await exitSignal(victim), 'SIGKILL');
      await alertOf(fleet, 'rfvictim of 0.1.0');
    });

    await t.test('0.1.0 reads the records of current services', async () => {
      const topics = { Alert: TOPIC.alerts, Incident: TOPIC.incidents, Command: TOPIC.commands, Result: TOPIC.results };
      for (const [name, topic] of Object.entries(topics) as [keyof typeof topics, string][]) {
        const releasedType = released(name);
        const resolver = releasedType.createResolver(typeOf(name));
        const found = await until(`a ${name}`, async () => (await values(fleet, topic))[0], TIMEOUT_MS);
        const read = releasedType.fromBuffer(Buffer.from(found.subarray(10)), resolver) as {
          id: string;
          hostId: string;
        };
        assert.deepEqual([read.id, read.hostId], [decode(name, found).id, agent.hostId]);
      }
    });

    await t.test('older services accept the records of a newer detector', async () => {
      const { directory } = fleet.member('detector');
      const key = loadIdentity(join(directory, 'state/identity'))?.signingKey;
      assert.ok(key);
      const bystander = agent.startReported('rfbystander newer');
      await agent.send();
      const alert = await alertOf(fleet, 'rfbystander newer');
      assert.ok(isAlive(bystander));
      const newer = { ...alert, id: alertId('newer', alert.events), action: 'kill' };
      const bus = await fleet.stolenBus('detector');
      const schema = futureSchema();
      const schemaFingerprint = learnSchema(schema)?.fingerprint ?? '';
      const publication = { topic: TOPIC.schemas, key: `Alert/${schemaFingerprint}` };
      // A thief of the broker key is faster than the newer detector.
      const madeUp = madeUpSchema(schemaFingerprint);
      await bus.produce([
        { ...publication, value: publishSchema(madeUp, null) },
        { ...publication, value: publishSchema(madeUp, { ...createSigningKey(), keyId: key.keyId }) },
        { ...publication, value: publishSchema(schema, key) },
      ]);
      await bus.produce([
        { topic: TOPIC.alerts, key: agent.hostId, value: encodeFuture(newer, schemaFingerprint, key) },
      ]);
      assert.equal(await exitSignal(bystander), 'SIGKILL');
      using audit = fleet.audit();
      await until(
        'the newer alert in the trail',
        async () => {
          const stored = (await Array.fromAsync(audit.alerts())).find(({ id }) => id === newer.id);
          if (stored !== undefined) assert.equal(stored.priority, alert.priority);
          return stored !== undefined;
        },
        TIMEOUT_MS,
      );
      assert.deepEqual(await fleet.deadLetters(), []);
    });

    await t.test('a member with a wrong number of partitions fails at its start with the reason', async () => {
      const { settings, ...options } = await fleet.optionsOf('detector', 'detector-of-three');
      const { bus } = settings as { bus: { driver: string; kafka: object } };
      const wrong = { ...settings, bus: { ...bus, kafka: { ...bus.kafka, partitions: 3 } } };
      await assert.rejects(fleet.members.join({ ...options, settings: wrong }), /it has 2 partitions, not 3/);
    });

    await t.test(
      'each service is stopped by SIGTERM under load and restarted: no event is lost or duplicated',
      async () => {
        const load = new Load(agent);
        const before = agent.results.length;
        for (const name of SERVICES) {
          const member = fleet.member(name);
          await sleep(500);
          const { pid } = member;
          await member.stop();
          assert.doesNotMatch(readFileSync(join(member.directory, 'log'), 'utf8'), /did not stop/, name);
          await fleet.start(name);
          assert.notEqual(member.pid, pid);
        }
        await load.end();
        for (const victim of load.victims) assert.equal(await exitSignal(victim), 'SIGKILL');
        assert.ok(load.victims.length > 0);
        const stored = await until(
          'every event on the bus',
          async () => {
            const found = await storedEvents(fleet);
            return [...load.events].every((id) => found.has(id)) && found;
          },
          TIMEOUT_MS,
        );
        assert.deepEqual(
          [...load.events].filter((id) => stored.get(id) !== 1),
          [],
          'duplicate events',
        );
        const marks = [...load.marks];
        const counted = await until(
          'every alert in the trail',
          async () => {
            using audit = fleet.audit();
            const outputs = (await Array.fromAsync(audit.alerts())).map(({ output }) => output);
            const counts = marks.map((mark) => outputs.filter((output) => output.includes(mark)).length);
            return counts.every((count) => count > 0) && counts;
          },
          TIMEOUT_MS,
        );
        assert.ok(counted.every((count) => count === 1));
        const killed = agent.results.slice(before).filter(({ outcome }) => outcome === 'executed');
        assert.equal(killed.length, load.victims.length);
        using audit = fleet.audit();
        assert.deepEqual(audit.verify().problems, []);
        t.diagnostic(
          `${load.events.size} events, ${marks.length} alerts, ${killed.length} kills: 0 lost, 0 duplicated`,
        );
      },
    );

    await t.test(
      'services that start before their broker report that they wait, and become ready when it starts, in any order',
      async () => {
        for (const name of SERVICES) await fleet.member(name).stop();
        const [broker] = fleet.kafka.brokers;
        await broker?.stop();
        const started = Promise.all(SERVICES.toReversed().map((name) => fleet.start(name)));
        // Awaited below; until then a rejection must not end the test.
        started.catch(() => {});
        for (const name of SERVICES) {
          const waiting = async (): Promise<string | undefined> => {
            const [live, ready] = [await fleet.health(name, '/healthz'), await fleet.health(name, '/readyz')];
            const reason = ready?.checks['start'] ?? '';
            return live?.status === 200 && ready?.status === 503 && reason.startsWith('waiting for Kafka at')
              ? reason
              : undefined;
          };
          await until(`${name} to wait for its broker`, waiting, START_TIMEOUT_MS);
        }
        await broker?.start();
        await started;
        for (const name of SERVICES)
          await until(
            `${name} to be ready`,
            async () => (await fleet.health(name, '/readyz'))?.status === 200,
            TIMEOUT_MS,
          );
        const victim = agent.startReported('rfvictim at the end');
        await agent.send();
        assert.equal(await exitSignal(victim), 'SIGKILL');
      },
    );
  });
});
