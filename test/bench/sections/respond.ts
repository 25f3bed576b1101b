import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { killKind, type ProcessDeps, suspendKind } from '@ringfence/response';
import { Dooms, factsAt, readProcesses, SNAPSHOT } from '@ringfence/sensor';
import { Group, TestSensor } from '@ringfence/testkit/sensor';
import type { BenchContext } from '../lib/context.ts';
import { latencies, percentile, ratio } from '../lib/figures.ts';

const SIZES = [1, 100, 1000];
const request = { id: 'bench', until: 0 };
const never = new AbortController().signal;

/** How long it takes to kill and to suspend trees, beside the kernel's own kill of a cgroup of the same size. */
export async function respond({ report, options }: BenchContext): Promise<void> {
  using sensor = await TestSensor.start();
  sensor.control({});
  sensor.snapshot();
  const deps = processDeps(sensor);
  const rows: string[][] = [];
  for (const size of SIZES) {
    const runs = Math.max(3, Math.round((options.runs * 10) / Math.sqrt(size)));
    const times = { kill: [] as number[], suspend: [] as number[], cgroup: [] as number[] };
    for (let run = 0; run < runs; run++) {
      times.kill.push(await timed(size, (target) => actOn(deps, killKind(deps), target)));
      times.suspend.push(await timed(size, (target) => actOn(deps, suspendKind(deps), target)));
      times.cgroup.push(await timed(size, killCgroup));
    }
    const against = ratio(percentile(times.kill, 50), percentile(times.cgroup, 50));
    rows.push([String(size), latencies(times.kill), latencies(times.suspend), latencies(times.cgroup), against]);
    report.figure(`kill.${size}.p50`, percentile(times.kill, 50));
    report.figure(`suspend.${size}.p50`, percentile(times.suspend, 50));
  }
  report.table({
    title: 'From the plan to a tree in which nothing lives, or goes on (p50 · p99 · max)',
    columns: ['processes', 'kill', 'suspend', 'cgroup.kill', 'kill / cgroup.kill'],
    rows,
    notes: ['The plan is not part of it. cgroup.kill: from the write until no process of the cgroup lives.'],
  });
}

function processDeps({ object }: TestSensor): ProcessDeps {
  const list = (tgid = 0) => {
    const snapshot = readProcesses(object.program(SNAPSHOT), tgid === 0 ? {} : { tgid });
    return snapshot.offsets.map((at) => factsAt(snapshot, at));
  };
  return {
    dooms: new Dooms(object),
    find: (tgid) => list(tgid)[0] ?? null,
    list: () => list(),
    protection: () => () => null,
    ...{ processesMax: 5000, deadlineMs: 10_000 },
  };
}

interface Tree {
  readonly group: Group;
  readonly root: ChildProcess;
  readonly size: number;
}

/** Returns the time of `act` on a new tree, ms, without that of its preparation. */
async function timed(size: number, act: (tree: Tree) => Promise<number> | number): Promise<number> {
  await using group = new Group();
  const script = `echo $$ > ${group.path}/cgroup.procs; n=1; while [ $n -lt ${size} ]; do sleep 1000 & n=$((n + 1)); done; echo ready; ${size === 1 ? 'exec sleep 1000' : 'wait'}`;
  const root = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(root.stdout, 'data');
  await sleep(20);
  return await act({ group, root, size });
}

type ProcessKind = ReturnType<typeof killKind> | ReturnType<typeof suspendKind>;

async function actOn(deps: ProcessDeps, kind: ProcessKind, { root, group, size }: Tree): Promise<number> {
  const start = deps.find(root.pid as number)?.start ?? 0n;
  const plan = await kind.plan({ pid: root.pid as number, start, reach: 'tree' }, request);
  const before = performance.now();
  const { facts } = await (kind as ReturnType<typeof killKind>).apply(plan as never, never);
  const took = performance.now() - before;
  const living = processesIn(group);
  if (facts['left'] !== '0' || Number(facts['processes']) < size || (kind.name === 'kill' && living > 0))
    throw new Error(`${kind.name}: ${JSON.stringify(facts)}, of ${size} processes, and ${living} live`);
  return took;
}

/** Processes of the cgroup that have not ended; an ended one whose parent has not waited for it does not count. */
function processesIn({ path }: Group): number {
  const pids = readFileSync(`${path}/cgroup.procs`, 'latin1').split('\n').filter(Boolean);
  return pids.filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return !'ZX'.includes(stat[stat.lastIndexOf(')') + 2] ?? 'X');
    } catch {
      return false; // It has ended.
    }
  }).length;
}

function killCgroup({ group }: Tree): number {
  const before = performance.now();
  writeFileSync(`${group.path}/cgroup.kill`, '1');
  while (readFileSync(`${group.path}/cgroup.events`, 'latin1').includes('populated 1'));
  return performance.now() - before;
}
