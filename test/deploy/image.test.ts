import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EventDocument } from '@ringfence/fields';
import type { Status } from '@ringfence/runtime/status';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { cgroupsOf } from '@ringfence/simulator/demo';
import { parse } from 'yaml';
import { until } from '../e2e/lib/wait.ts';
import { assertBillOfMaterials, type BillOfMaterials } from './lib/bill-of-materials.ts';
import { Engine, skip } from './lib/engine.ts';
import { ROOT } from './lib/engine-files.ts';

const BASE = 'ringfence-test/base';
/** Uids of the users in the image. */
const UID = '64731';
const SENSOR_UID = '64732';
/** Common settings of all services of a fleet. */
const compose = parse(readFileSync(join(ROOT, 'deploy/compose/compose.yaml'), 'utf8'))['x-ringfence'] as {
  readonly tmpfs: readonly string[];
};
const MARK = `rf-image-${process.pid}`;
/** Prefix of commands in the container, as in the README. */
const EXEC = ['exec', '-u', 'ringfence', 'ringfence', 'ringfence'] as const;
const pinPath = `/sys/fs/bpf/rf-test-${process.pid}-image`;

/**
 * Returns the documented arguments with two settings for the test: a separate pin path and the data root of the engine.
 */
function runArguments(engine: Engine): string[] {
  const settings = [`RINGFENCE_SENSOR_PIN_PATH=${pinPath}`, `RINGFENCE_COLLECTOR_DOCKER_ROOTS=${engine.dataRoot}`];
  return [...settings.flatMap((setting) => ['-e', setting]), ...documented('docker run')];
}

/** Replaces the newer capabilities as the README describes for older engines. */
function withOldCapabilities(args: readonly string[]): string[] {
  return args.map((arg) => (arg === 'BPF' || arg === 'PERFMON' ? 'SYS_ADMIN' : arg));
}

/** Returns the arguments of the command in deploy/image/README.md that starts with `start`. */
function documented(start: string): string[] {
  const text = readFileSync(join(ROOT, 'deploy/image/README.md'), 'utf8').replaceAll('\\\n', ' ');
  const line = text.split('\n').find((candidate) => candidate.startsWith(start));
  assert.ok(line !== undefined, `deploy/image/README.md has no command ${start}`);
  return line.slice(start.length).trim().split(/\s+/);
}

const logsOf = (engine: Engine, name: string): string => engine.run('logs', name).stderr;

describe('the image, in a container engine', { skip }, () => {
  let engine: Engine;
  let id: string;

  const events = (condition: string): EventDocument[] => {
    const text = engine.output(...EXEC, 'events', '--json', '--where', condition);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as EventDocument);
  };

  before(async () => {
    await buildSensor();
    engine = await Engine.start();
    engine.importBase(BASE);
  });
  after(async () => {
    await engine?.[Symbol.asyncDispose]();
    uninstallSensor(pinPath);
  });

  test('is built by the documented command and runs exactly `ringfence up`', () => {
    engine.output('build', '--network', 'host', '--build-arg', `BASE=${BASE}`, ...documented('docker build'));
    const [{ Config }] = JSON.parse(engine.output('inspect', 'ringfence'));
    assert.deepEqual([...Config.Entrypoint, ...Config.Cmd], ['/usr/bin/ringfence', 'up']);
    assert.equal(Config.User, 'ringfence');
  });

  test('has the program and the sensor, but no development files', () => {
    // One container lists all three, because an engine without overlay copies the image for each container.
    const paths = ['', 'dist/sensor', 'node_modules'].map((path) => `/usr/lib/ringfence/${path}`);
    const listed = engine.output('run', '--rm', '--network', 'none', '--entrypoint', 'ls', 'ringfence', ...paths);
    const [top, sensor, modules] = listed.split('\n\n').map((list) => list.split('\n').slice(1));
    assert.deepEqual(top, [
      'LICENSE',
      'cli',
      'deploy',
      'dist',
      'node_modules',
      'package-lock.json',
      'package.json',
      'packages',
      'policies',
      'rules',
      'sbom.cdx.json',
      'services',
    ]);
    assert.deepEqual(sensor, ['ringfence.bpf.o', 'trace.bpf.o']);
    for (const name of ['typescript', '@biomejs', 'turbo', 'fast-check'])
      assert.ok(modules !== undefined && !modules.includes(name), name);
  });

  test('has its bill of materials, without development packages', () => {
    const text = engine.output('run', '--rm', '--entrypoint', 'cat', 'ringfence', '/usr/lib/ringfence/sbom.cdx.json');
    const bill = JSON.parse(text) as BillOfMaterials;
    assertBillOfMaterials(bill, readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
    const names = bill.components.map(({ name }) => name);
    assert.deepEqual([names.includes('typescript'), names.includes('libbpf1')], [false, true]);
  });

  test('is precompiled for its user', () => {
    const result = engine.run(
      'run',
      '--rm',
      '--network',
      'none',
      '-e',
      'NODE_DEBUG_NATIVE=COMPILE_CACHE',
      'ringfence',
      '--version',
    );
    assert.match(result.stderr, /code cache for ESM .*\/cli\/src\/main\.ts was accepted/);
    assert.doesNotMatch(result.stderr, /no such file|writing/);
  });

  test('watches the host when started by the documented command', async () => {
    const args = runArguments(engine);
    const first = engine.run('run', ...args);
    if (/unknown capability/.test(first.stderr)) engine.output('run', ...withOldCapabilities(args));
    else assert.equal(first.status, 0, first.stderr);
    id = engine.output('inspect', '--format', '{{.Id}}', 'ringfence');
    await until('ringfence to watch', () => {
      const logs = engine.output('logs', 'ringfence');
      assert.equal(engine.output('inspect', '--format', '{{.State.Running}}', 'ringfence'), 'true', logs);
      return logs.includes('watching this machine');
    });
    spawnSync('/bin/true', [`${MARK}-host`]);
    const [event] = await until('the event of a program run on the host', () => {
      const found = events(
        `event.action = exec and process.executable endswith true and process.command_line contains ${MARK}-host`,
      );
      return found.length > 0 && found;
    });
    assert.equal(event?.['process.parent.pid'], process.pid);
    assert.equal(event['user.name'], 'root');
    assert.equal(event['container.id'], undefined);
  });

  test('runs no process as root: one has the capabilities of the sensor, the other none, and neither can gain more', () => {
    const { processes } = JSON.parse(engine.output(...EXEC, 'status', '--json')) as Status;
    const status = processes.map(({ pid }) => readFileSync(`/proc/${pid}/status`, 'latin1'));
    const field = (name: string): string[] =>
      status.map((text) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '');
    assert.deepEqual(
      field('Uid'),
      [UID, SENSOR_UID].map((uid) => Array(4).fill(uid).join('\t')),
    );
    assert.deepEqual(field('CapBnd'), field('CapEff'));
    assert.deepEqual(field('NoNewPrivs'), ['1', '1']);
    const [servicesCapabilities, sensorCapabilities] = processes.map(({ capabilities }) => capabilities);
    assert.deepEqual(servicesCapabilities, []);
    for (const name of ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP', 'CAP_CHOWN'])
      assert.ok(!sensorCapabilities?.includes(name), name);
    const { stdout: doctor } = engine.run(...EXEC, 'doctor');
    assert.match(doctor, /✓ privileges .*, in the running processes\n/);
    assert.match(doctor, /✓ runs as /);
    const pid = engine.output('inspect', '--format', '{{.State.Pid}}', 'ringfence');
    const group = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n').at(-1)?.slice(3) ?? '';
    const inside = cgroupsOf(group.slice(1)).flatMap((path) =>
      existsSync(path) ? readFileSync(`${path}/cgroup.procs`, 'utf8').trim().split('\n') : [],
    );
    assert.deepEqual([...new Set(inside)].map(Number).sort(), processes.map(({ pid }) => pid).sort());
  });

  test('a service without a sensor runs as its user without capabilities', async () => {
    const hardened = ['--read-only', '--tmpfs', compose.tmpfs[0] ?? '', '--cap-drop', 'ALL', '--network', 'none'];
    const alone = ['-e', 'RINGFENCE_SERVICES=enricher,detector,auditor', '-e', 'RINGFENCE_METRICS_ENABLED=false'];
    engine.output('run', '-d', '--name', 'services', ...hardened, ...alone, 'ringfence');
    const statusCommand = ['exec', 'services', 'ringfence', 'status', '--json'];
    const status = await until('the services to answer', () => {
      assert.equal(
        engine.output('inspect', '--format', '{{.State.Running}}', 'services'),
        'true',
        logsOf(engine, 'services'),
      );
      const result = engine.run(...statusCommand);
      return result.status === 0 && (JSON.parse(result.stdout) as Status);
    });
    assert.deepEqual(
      status.processes.map(({ uid, capabilities }) => [String(uid), capabilities]),
      [[UID, []]],
    );
    engine.output('rm', '-f', 'services');
  });

  test('reports the names of other containers', async () => {
    engine.output('tag', BASE, 'shop/web:2');
    engine.output(
      'run',
      '--rm',
      '--name',
      'web-1',
      '--network',
      'none',
      'shop/web:2',
      '/bin/sh',
      '-c',
      `/bin/true ${MARK}-web; :`,
    );
    const [event] = await until('the event of a program run in a container', () => {
      const found = events(
        `event.action = exec and process.executable = /usr/bin/true and process.command_line contains ${MARK}-web`,
      );
      return found.length > 0 && found;
    });
    assert.match(String(event?.['container.id']), /^[0-9a-f]{64}$/);
    assert.deepEqual(
      [event?.['container.name'], event?.['container.image.name'], event?.['container.runtime']],
      ['web-1', 'shop/web:2', 'docker'],
    );
  });

  test('`docker stop` stops it cleanly, without remaining pins, cgroups or processes', () => {
    const pid = engine.output('inspect', '--format', '{{.State.Pid}}', 'ringfence');
    engine.output('stop', 'ringfence');
    assert.equal(
      engine.output('inspect', '--format', '{{.State.ExitCode}}', 'ringfence'),
      '0',
      engine.run('logs', 'ringfence').stderr,
    );
    assert.match(engine.output('logs', 'ringfence'), /stopping after the current batches/);
    assert.equal(existsSync(pinPath), false);
    assert.equal(existsSync(`/proc/${pid}`), false);
    assert.deepEqual(
      cgroupsOf(`docker/${id}`).filter((path) => existsSync(path)),
      [],
    );
  });

  test('the engine cleans up', async () => {
    await engine[Symbol.asyncDispose]();
    assert.equal(existsSync(engine.dir), false);
    assert.doesNotMatch(readFileSync('/proc/mounts', 'utf8'), new RegExp(engine.dir));
    assert.equal(spawnSync('pgrep', ['-f', engine.dir], { encoding: 'utf8' }).stdout, '');
  });
});
