import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { uninstallSensor } from '@ringfence/collector';
import type { EventDocument } from '@ringfence/schema';
import { buildSensor } from '../../tools/build-sensor.ts';
import { until } from '../e2e/lib/wait.ts';
import { documented } from './lib/documented.ts';
import { cgroupsOf, Engine, skip } from './lib/engine.ts';

const BASE = 'ringfence-test/base';
const MARK = `rf-image-${process.pid}`;
const pinPath = `/sys/fs/bpf/rf-test-${process.pid}-image`;

/** What the documented command lacks for a test: pins of its own, and where its engine keeps what containers are called. */
function runArguments(engine: Engine): string[] {
  const settings = [`RINGFENCE_SENSOR_PIN_PATH=${pinPath}`, `RINGFENCE_COLLECTOR_DOCKER_ROOTS=${engine.dataRoot}`];
  return [...settings.flatMap((setting) => ['-e', setting]), ...documented('docker run')];
}

/** As the README says for an engine that doesn't know the newer capabilities. */
function withOldCapabilities(args: readonly string[]): string[] {
  return args.map((arg) => (arg === 'BPF' || arg === 'PERFMON' ? 'SYS_ADMIN' : arg));
}

describe('the image, in a container engine', { skip }, () => {
  let engine: Engine;
  let id: string;

  const events = (condition: string): EventDocument[] => {
    const text = engine.output('exec', 'ringfence', 'ringfence', 'events', '--json', '--where', condition);
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

  test('is built by the documented command, and runs exactly `ringfence up`', () => {
    engine.output('build', '--network', 'host', '--build-arg', `BASE=${BASE}`, ...documented('docker build'));
    const [{ Config }] = JSON.parse(engine.output('inspect', 'ringfence'));
    assert.deepEqual([...Config.Entrypoint, ...Config.Cmd], ['/usr/bin/ringfence', 'up']);
  });

  test('has the program and the sensor, and nothing of development', () => {
    // One container for all three: its file system is a copy of the whole image where the engine can't overlay.
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
      'services',
    ]);
    assert.deepEqual(sensor, ['ringfence.bpf.o', 'trace.bpf.o']);
    for (const name of ['typescript', '@biomejs', 'turbo', 'fast-check'])
      assert.ok(modules !== undefined && !modules.includes(name), name);
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

  test('names the containers beside it', async () => {
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

  test('stops cleanly at `docker stop`: no pin, no cgroup, no process is left', () => {
    const pid = engine.output('inspect', '--format', '{{.State.Pid}}', 'ringfence');
    engine.output('stop', 'ringfence');
    assert.equal(
      engine.output('inspect', '--format', '{{.State.ExitCode}}', 'ringfence'),
      '0',
      engine.run('logs', 'ringfence').stderr,
    );
    assert.match(engine.output('logs', 'ringfence'), /stopping: what is in hand is finished first/);
    assert.equal(existsSync(pinPath), false);
    assert.equal(existsSync(`/proc/${pid}`), false);
    assert.deepEqual(
      cgroupsOf(`docker/${id}`).filter((path) => existsSync(path)),
      [],
    );
  });

  test('the engine leaves nothing behind', async () => {
    await engine[Symbol.asyncDispose]();
    assert.equal(existsSync(engine.dir), false);
    assert.doesNotMatch(readFileSync('/proc/mounts', 'utf8'), new RegExp(engine.dir));
    assert.equal(spawnSync('pgrep', ['-f', engine.dir], { encoding: 'utf8' }).stdout, '');
  });
});
