import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Group, Scratch, skip, TestSensor } from '@ringfence/testkit/sensor';
import { ActionRefusedError, killKind, type ProcessDeps, suspendKind } from '../../src/index.ts';
import { processDeps, processesIn, startReady } from './support.ts';

const request = { id: 'command-1', until: 0 };
const never = new AbortController().signal;
/** Runs of each way; `npm run test:trees` plays 1,000. */
const RUNS = Number(process.env['RINGFENCE_TREE_RUNS'] ?? 2);

const WAYS = ['idle', 'hop', 'hop-exec', 'wide', 'daemon', 'vfork', 'namespace', 'traced', 'spin', 'threads'];

describe('a tree of processes', { skip, concurrency: false }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  let deps: ProcessDeps;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('tree');
    sensor = await TestSensor.start();
    sensor.control({});
    sensor.snapshot();
    deps = processDeps(sensor);
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** The command that names this process. A root that has ended is named by what its alert knew of it. */
  async function start(group: Group, ...args: string[]): Promise<{ pid: number; start: bigint; child: ChildProcess }> {
    sensor.drain();
    const from = sensor.records.length;
    const child = await startReady(group, program, ...args);
    const exec = sensor
      .familyOf(child, from)
      .find(({ type, header }) => type === 'rf_exec' && header.tgid === child.pid);
    assert.ok(exec !== undefined, 'the sensor saw the root start');
    return { pid: child.pid as number, start: exec.header.start, child };
  }

  async function kill(target: { pid: number; start: bigint }, reach: 'tree' | 'session' | 'cgroup' = 'tree') {
    const kind = killKind(deps);
    const plan = await kind.plan({ pid: target.pid, start: target.start, reach }, request);
    return { plan, ...(await kind.apply(plan, never)) };
  }

  for (const way of WAYS) {
    test(`is dead whole, and no bystander is, when it is the way "${way}"`, async () => {
      for (let run = 0; run < RUNS; run++) {
        await using group = new Group();
        await using others = new Group();
        const bystander = await start(others, 'idle');
        const target = await start(group, way);
        const { outcome, reason, facts } = await kill(target);
        assert.deepEqual({ outcome, reason, left: facts['left'] }, { outcome: 'executed', reason: '', left: '0' });
        assert.deepEqual(processesIn(group), [], 'survivors');
        assert.equal(processesIn(others).length, 111, 'bystanders');
        assert.equal(bystander.child.exitCode, null);
      }
    });
  }

  test('keeps its lineage while the agent lists processes, which may meet a child before the hook of its fork', async () => {
    await using group = new Group();
    const target = await start(group, 'hop');
    for (let listing = 0; listing < 1000; listing++) {
      deps.find(processesIn(group)[0] ?? 0);
      if (listing % 5 === 0) deps.list();
    }
    const { outcome, facts } = await kill(target);
    assert.deepEqual({ outcome, left: facts['left'] }, { outcome: 'executed', left: '0' });
    assert.deepEqual(processesIn(group), []);
  });

  test('is dead whole although a part of it moved to another cgroup', async () => {
    for (let run = 0; run < RUNS; run++) {
      await using group = new Group();
      await using other = new Group();
      const target = await start(group, 'cgroup', other.path);
      const { facts } = await kill(target);
      assert.equal(facts['left'], '0');
      assert.deepEqual([processesIn(group), processesIn(other)], [[], []]);
    }
  });

  test('of a root that has ended is gone when nothing of it lives', async () => {
    await using group = new Group();
    const target = await start(group, 'idle');
    await kill(target);
    const { outcome, plan } = await kill(target);
    assert.deepEqual([outcome, plan.targets], ['gone', []]);
  });

  test('is listed by its plan, which changes nothing', async () => {
    await using group = new Group();
    const target = await start(group, 'idle');
    const plan = await killKind(deps).plan({ pid: target.pid, start: target.start, reach: 'tree' }, request);
    assert.deepEqual(plan.radius, { processes: 111, connections: 0, listeningPorts: 0, peers: 0 });
    assert.equal(plan.targets.length, 101);
    assert.match(plan.targets[0] ?? '', /^\d+ .*\/tree$/);
    await sleep(20);
    assert.equal(processesIn(group).length, 111);
  });

  test('is killed without a protected process in it, which does not shield what it started', async () => {
    await using group = new Group();
    const target = await start(group, 'idle');
    const pids = processesIn(group);
    const parent = pids.find((pid) => pid !== target.pid && pids.filter((other) => parentOf(other) === pid).length > 0);
    const protecting = processDeps(sensor, {
      protection:
        () =>
        ({ tgid }) =>
          tgid === parent ? 'a test' : null,
    });
    const kind = killKind(protecting);
    const plan = await kind.plan({ pid: target.pid, start: target.start, reach: 'tree' }, request);
    assert.deepEqual([plan.radius['processes'], plan.spared.length], [110, 1]);
    assert.match(plan.spared[0] ?? '', /^\d+ .*\/tree: a test$/);
    await kind.apply(plan, never);
    assert.deepEqual(processesIn(group), [parent]);
  });

  test('is refused when its root or a part of its cgroup is protected, or when it is too large', async () => {
    await using group = new Group();
    const target = await start(group, 'idle');
    const other = processesIn(group).find((pid) => pid !== target.pid);
    const protect = (pid?: number): Partial<ProcessDeps> => ({
      protection:
        () =>
        ({ tgid }) =>
          tgid === pid ? 'a test protects it' : null,
    });
    const cases = [
      [protect(target.pid), 'tree', 'protected'],
      [protect(other), 'cgroup', 'protected'],
      [{ processesMax: 110 }, 'tree', 'too-large'],
    ] as const;
    for (const [overrides, reach, reason] of cases) {
      const kind = killKind(processDeps(sensor, overrides));
      await assert.rejects(
        kind.plan({ pid: target.pid, start: target.start, reach }, request),
        (error) => error instanceof ActionRefusedError && error.reason === reason,
      );
    }
    assert.equal(processesIn(group).length, 111);
  });

  test('of another process with the same pid is not touched', async () => {
    await using group = new Group();
    const target = await start(group, 'idle');
    const { outcome } = await kill({ pid: target.pid, start: target.start - 1n });
    assert.equal(outcome, 'gone');
    assert.equal(processesIn(group).length, 111);
  });

  test('is killed by its cgroup, whoever its ancestors are, and a cgroup that has the whole host is refused', async () => {
    await using group = new Group();
    const target = await start(group, 'idle');
    const other = await start(group, 'hop');
    await assert.rejects(kill(other, 'cgroup'), /has ended, so its cgroup is unknown/);
    const { facts } = await kill(target, 'cgroup');
    assert.equal(facts['left'], '0');
    assert.deepEqual(processesIn(group), []);
    const atRoot = processDeps(sensor, {
      find: () => ({ tgid: 2, parentTgid: 1, start: 1n, executable: '', cgroup: 1n }),
    });
    await assert.rejects(killKind(atRoot).plan({ pid: 2, start: 1n, reach: 'cgroup' }, request), /root cgroup/);
  });

  test('is stopped whole, and goes on when that is taken back, but for a process that had been stopped before', async () => {
    for (const way of ['idle', 'wide', 'hop', 'spin', 'threads']) {
      await using group = new Group();
      const target = await start(group, way);
      const kind = suspendKind(deps);
      const parked = processesIn(group)[0] as number;
      if (way === 'idle') process.kill(parked, 'SIGSTOP');
      await sleep(5);
      const plan = await kind.plan({ pid: target.pid, start: target.start, reach: 'tree' }, request);
      const { facts } = await kind.apply(plan, never);
      assert.equal(facts['left'], '0', way);
      const stopped = processesIn(group);
      await sleep(30);
      assert.deepEqual(processesIn(group), stopped, `${way}: a stopped tree makes no processes`);
      assert.ok(stopped.every(isStopped), way);
      // As after a restart of the agent, from the journal.
      const inverse = kind.inverse?.parse(JSON.parse(JSON.stringify(plan.inverse)));
      const undone = await kind.undo(inverse as NonNullable<typeof inverse>, never);
      assert.equal(undone.outcome, 'executed', way);
      if (way !== 'idle') continue;
      assert.deepEqual(processesIn(group).filter(isStopped), [parked]);
      assert.equal((await kind.undo(inverse as NonNullable<typeof inverse>, never)).facts['resumed'], '110');
    }
  });
});

const statOf = (pid: number): string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};
const isStopped = (pid: number): boolean => statOf(pid)[0] === 'T';
const parentOf = (pid: number): number => Number(statOf(pid)[1]);
