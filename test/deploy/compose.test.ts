import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { kafkaMissing, redisMissing, reservePorts, startKafka } from '@ringfence/dev-servers';
import { createTestCa, type TestCa, type TestCertificate } from '@ringfence/dev-servers/in-process';
import { parse } from 'yaml';

interface Service {
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
}

const root = dirname(dirname(import.meta.dirname));
const file = parse(readFileSync(join(root, 'deploy/compose/compose.yaml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
};
const PASSWORD = 'a-password-of-this-test';

/** As Compose reads a value. */
const composed = (text: string | number): string =>
  String(text)
    .replaceAll('$$', '\0')
    .replaceAll(/\$\{\w+:\?[^}]*\}/g, PASSWORD)
    .replaceAll('\0', '$');

describe('the networks of the services in containers', () => {
  const membersOf = (network: string) =>
    Object.keys(file.services).filter((name) => file.services[name]?.networks.includes(network));

  it('connect only services of which one connects to the other', () => {
    const members = Object.fromEntries(Object.keys(file.networks).map((network) => [network, membersOf(network)]));
    assert.deepEqual(members, {
      agents: ['registrar', 'responder'],
      brokers: ['kafka', 'registrar', 'enricher', 'detector', 'responder', 'auditor'],
      coordination: ['redis', 'responder'],
      enrolment: ['registrar', 'enricher', 'detector', 'responder', 'auditor'],
      evidence: ['elasticsearch', 'auditor'],
    });
  });

  it('lead out of the machine only where agents connect', () => {
    const open = Object.keys(file.networks).filter((network) => file.networks[network]?.internal !== true);
    assert.deepEqual(open, ['agents']);
    const published = Object.keys(file.services).filter((name) => file.services[name]?.ports !== undefined);
    assert.deepEqual(published, membersOf('agents'));
  });

  it('have no store without a password', () => {
    const { redis, elasticsearch, responder, auditor } = file.services;
    const { 'xpack.security.enabled': security, ELASTIC_PASSWORD: password } = elasticsearch?.environment ?? {};
    assert.deepEqual([security, composed(password ?? '')], ['true', PASSWORD]);
    assert.equal(composed(auditor?.environment?.['RINGFENCE_AUDITOR_ELASTICSEARCH_PASSWORD'] ?? ''), PASSWORD);
    assert.equal(composed(redis?.environment?.['REDIS_PASSWORD'] ?? ''), PASSWORD);
    assert.equal(composed(responder?.environment?.['RINGFENCE_REDIS_PASSWORD'] ?? ''), PASSWORD);
  });
});

const CORRELATION_ID = 0x5246;
/** A request of Kafka's protocol without a body: ApiVersions, version 0. */
const API_VERSIONS = Buffer.alloc(14);
for (const [value, at] of [
  [10, 2],
  [18, 4],
  [CORRELATION_ID, 10],
] as const)
  API_VERSIONS.writeUInt16BE(value, at);

/** Sends the request. Returns 'answered', or why there is no answer. An alert of TLS is none. */
async function ask(socket: Socket): Promise<string> {
  const end = Promise.race([
    once(socket, 'close').then(() => 'closed'),
    new Promise<string>((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    }),
  ]);
  socket.write(API_VERSIONS);
  const answer = new Promise<string>((resolve) => {
    socket.on('data', (bytes) => {
      if (bytes.length >= 8 && bytes.readUInt32BE(4) === CORRELATION_ID) resolve('answered');
    });
  });
  const state = await Promise.race([end, answer]);
  socket.destroy();
  return state;
}

const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

describe('the broker of the services in containers', { skip: kafkaMissing() ?? false }, () => {
  const stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'rf-compose-'));
  let ca: TestCa;
  let administrator: TestCertificate;
  let [clients, controller] = [0, 0];

  before(async () => {
    stack.defer(() => rmSync(directory, { recursive: true }));
    ca = await createTestCa();
    administrator = await ca.issue('admin');
    const { certificate, key } = await ca.issue('kafka', { hosts: ['kafka', 'localhost'] });
    writeFileSync(join(directory, 'keystore.pem'), `${key}${certificate}${ca.certificate}`, { mode: 0o600 });
    writeFileSync(join(directory, 'ca.pem'), ca.certificate);
    const { ports } = stack.use(await reservePorts(2));
    [clients = 0, controller = 0] = ports;
    stack.use(await startKafka({ security: 'mtls', ca, settings: settingsOf(file.services['kafka']) }));
  });
  after(() => stack.disposeAsync());

  /** The settings that the image's script makes of the environment, with other ports and files. */
  function settingsOf(service: Service | undefined): Record<string, string> {
    const entries = Object.entries(service?.environment ?? {}).filter(([name]) => name.startsWith('KAFKA_'));
    const settings = entries.map(([name, value]) => [
      name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'),
      composed(value)
        .replaceAll(':9093', `:${clients}`)
        .replaceAll(':9094', `:${controller}`)
        .replace('/etc/kafka/tls', directory)
        .replace('SSL://kafka:', 'SSL://localhost:'),
    ]);
    return Object.fromEntries(settings);
  }

  const tls = (port: number, options: ConnectionOptions): Socket =>
    connectTls({ port, host: 'localhost', ca: ca.certificate, ...options });

  it('answers a client with a certificate of the fleet on the machine itself', async () => {
    const { certificate: cert, key } = administrator;
    for (const port of [clients, controller]) assert.equal(await ask(tls(port, { cert, key })), 'answered');
  });

  it('does not answer another container on the listener of the controller', {
    skip: outside === undefined ? 'this machine has no address but those of loopback' : false,
  }, async () => {
    assert.equal(await ask(connect(controller, outside)), 'ECONNREFUSED');
    const { certificate: cert, key } = administrator;
    const reachable = tls(clients, { host: outside, servername: 'localhost', cert, key });
    assert.equal(await ask(reachable), 'answered');
  });

  it('has no listener that answers without a certificate', async () => {
    for (const port of [clients, controller]) {
      assert.notEqual(await ask(connect(port, 'localhost')), 'answered', `plain text, port ${port}`);
      assert.notEqual(await ask(tls(port, {})), 'answered', `no certificate, port ${port}`);
    }
  });
});

describe('the Redis of the services in containers', { skip: redisMissing() ?? false }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-compose-redis-'));
  after(() => rmSync(directory, { recursive: true }));

  async function reply(port: number, request: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${request}\r\n`);
    const [bytes] = await once(socket, 'data');
    socket.destroy();
    return String(bytes);
  }

  async function started(port: number): Promise<ChildProcess> {
    const { entrypoint = [], command = [] } = file.services['redis'] ?? {};
    symlinkSync('/usr/bin/redis-check-rdb', join(directory, 'redis-server'));
    const [shell = '', ...args] = [...entrypoint, ...command].map(composed);
    const child = spawn(shell, [...args, '--port', String(port), '--dir', directory, '--bind', '127.0.0.1'], {
      env: { PATH: `${directory}:${process.env['PATH']}`, REDIS_PASSWORD: PASSWORD },
      stdio: 'ignore',
    });
    for (let round = 0; round < 500; round++) {
      const socket = connect(port, '127.0.0.1');
      const isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (isUp) break;
      await sleep(20);
    }
    return child;
  }

  it('answers only with the password, which no list of processes shows', async () => {
    await using reserved = await reservePorts(1);
    const [port = 0] = reserved.ports;
    const child = await started(port);
    try {
      assert.match(await reply(port, 'PING'), /^-NOAUTH/);
      assert.match(await reply(port, `AUTH ${PASSWORD}`), /^\+OK/);
      assert.doesNotMatch(readFileSync(`/proc/${child.pid}/cmdline`, 'latin1'), new RegExp(PASSWORD));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
