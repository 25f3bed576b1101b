/** A cgroup that floods the sensor while the agent can't read is named with all that it lost, and hides nobody else. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventAccount } from '@ringfence/collector';
import type { EventDocument } from '@ringfence/fields';
import { BpfMap } from '@ringfence/libbpf-ts';
import { Group, Scratch } from '@ringfence/testkit/sensor';
import { Installation, type Running } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

const ENDLESS = '2000000000';
const ACTIONS = 100;
/** Small, so that it is soon full. */
const RING = 'sensor.ringSecurityBytes=8MiB';
/** So little that other programs of a busy machine don't fill the reserve while nothing reads the ring. */
const SHARE = 'sensor.share.bytesPerSecond=128KiB';

describe('a flood while the agent is stopped', { skip }, () => {
  let home: Installation;
  let up: Running;
  let scratch: Scratch;
  let noisy: Group;
  let quiet: Group;
  before(async () => {
    scratch = new Scratch();
    noisy = new Group();
    quiet = new Group();
    home = new Installation([SHARE, RING]);
    up = await home.up();
  });
  after(async () => {
    await noisy?.[Symbol.asyncDispose]();
    await quiet?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
    scratch?.[Symbol.dispose]();
  });

  async function list(where: string): Promise<EventDocument[]> {
    const lines = await home.output(['events', '--json', '--limit', '10000', '--where', where]);
    return lines
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as EventDocument);
  }

  async function lostBy(group: Group): Promise<number> {
    const { throttled } = JSON.parse(await home.output(['stats', '--json'])) as EventAccount;
    return throttled
      .filter(({ cgroup, lane }) => cgroup === String(group.id) && lane === 0)
      .reduce((sum, { count }) => sum + count, 0);
  }

  /** Waits until the flood has filled what it may of the ring. The agent is stopped, so its map is read here. */
  async function untilFull(): Promise<void> {
    using map = BpfMap.openPinned<{ cgroup: bigint; lane: number }, bigint>(`${home.pinPath}/rf_throttled`);
    await until('losses of the flood', () =>
      [...map.keys()].some(({ cgroup, lane }) => cgroup === noisy.id && lane === 0),
    );
  }

  test('hides no execution of another cgroup, and is named by an alert with the number that stats has', async (t) => {
    const flood = scratch.compile('flood');
    const bystander = scratch.compile('bystander');
    up.child.kill('SIGSTOP');
    try {
      for (let loop = 0; loop < 2; loop++) noisy.start('nice', '-n', '19', flood, 'spawns', '-', ENDLESS);
      await untilFull();
      await quiet.run(bystander, '/etc/shadow', '9', String(ACTIONS));
      await noisy.stop();
    } finally {
      up.child.kill('SIGCONT');
    }
    const lost = await until('the losses of the flood', async () => (await lostBy(noisy)) || undefined);
    const name = noisy.path.slice(noisy.path.lastIndexOf('/'));
    const where = ['--where', "rule = 'Cgroup flooded the sensor'"];
    const last = await until('the last alert', async () => {
      const alerts = await home.output(['alerts', ...where]);
      return alerts.split('\n').find((line) => line.includes(`${name} `) && line.includes('over: true'));
    });
    t.diagnostic(last);
    assert.ok(last.includes(` lost ${lost} events `), `${lost}: ${last}`);
    assert.equal(await lostBy(quiet), 0);
    const execs = await list('event.action = exec and process.exec.memfd = true');
    const numbers = new Set(
      execs.map((event) => String((event['process.args'] as readonly string[] | undefined)?.[1])),
    );
    for (let n = 0; n < ACTIONS; n++) assert.ok(numbers.has(String(n)), `action ${n} of ${ACTIONS}`);
  });
});
