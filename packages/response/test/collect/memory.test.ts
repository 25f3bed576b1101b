import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Lab, Victim } from './lab.ts';

const PAGE = 4096;

/** Maps memory in Python, writes a mark into some of its pages, and prints its address. */
function mapping(bytes: string, marks: readonly number[], after = 'time.sleep(1000)'): readonly string[] {
  const lines = [
    'import mmap, ctypes, time, sys',
    `m = mmap.mmap(-1, ${bytes}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)`,
    ...marks.map((page) => `m[${page * PAGE}:${page * PAGE}+9] = b"marked-%02d" % ${page % 100}`),
    'print(hex(ctypes.addressof(ctypes.c_char.from_buffer(m))), flush=True)',
    after,
  ];
  return ['-c', lines.join('\n')];
}

const residentPages = (pid: number): number => Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);

interface MapLine {
  readonly range?: string;
  readonly offset?: number;
}

const mapOf = (lab: Lab): MapLine[] => {
  const item = lab.lastCollection().items.find(({ kind }) => kind === 'memory-map');
  const lines = lab.contentOf(item).toString().trim().split('\n');
  return lines.map((line) => JSON.parse(line) as MapLine);
};

describe('the collection of memory', () => {
  it('holds the pages that were touched, of 100 GB that were mapped', async () => {
    using lab = new Lab({ limits: { seconds: 60 } });
    const marks = [0, 7, 1_000_000, 25_000_000];
    await using victim = await Victim.start('python3', mapping('100 << 30', marks));
    const plan = await lab.plan({ what: 'memory', ...victim.named });
    assert.equal((plan.radius['bytes'] ?? 0) < 256 << 20, true, `${plan.radius['bytes']} bytes`);
    const { outcome, collection } = await lab.apply(plan);
    assert.equal(outcome.facts['end'], 'complete', outcome.reason);
    const memory = lab.contentOf(collection.items.find(({ kind }) => kind === 'memory'));
    for (const page of marks)
      assert.equal(memory.includes(`marked-${String(page % 100).padStart(2, '0')}`), true, `${page}`);
    const ranges = mapOf(lab).filter(({ range }) => range !== undefined);
    const bytes = ranges.map(({ range = '' }) => range.split('-').map((part) => Number.parseInt(part, 16)));
    assert.equal(
      bytes.reduce((sum, [from = 0, to = 0]) => sum + to - from, 0),
      memory.length,
    );
  });

  it('holds the ranges that a command names, and nothing of addresses without memory', async () => {
    using lab = new Lab();
    await using victim = await Victim.start('python3', mapping('1 << 20', [3]));
    const maps = readFileSync(`/proc/${victim.pid}/maps`, 'latin1').split('\n');
    const stack = maps.find((line) => line.endsWith('[stack]'))?.split(' ')[0] ?? '';
    const { outcome, collection } = await lab.collect({
      what: 'memory',
      ...victim.named,
      ranges: `${stack},1000-3000`,
    });
    assert.equal(outcome.facts['end'], 'complete');
    const memory = collection.items.find(({ kind }) => kind === 'memory');
    assert.equal(lab.contentOf(memory).includes('python3'), true, 'the arguments are on the stack');
    const [from = 0, to = 0] = stack.split('-').map((part) => Number.parseInt(part, 16));
    for (const range of mapOf(lab).flatMap((line) => line.range ?? [])) {
      const at = Number.parseInt(range, 16);
      assert.equal(at >= from && at < to, true, range);
    }
  });

  it('stops the process for the time of the reading, and lets it go on', async () => {
    using lab = new Lab();
    await using victim = await Victim.start('python3', mapping('64 << 20', [1, 2]));
    const plan = await lab.plan({ what: 'memory', ...victim.named, freeze: 'true' });
    assert.deepEqual(plan.inverse, { command: 'command-1', pid: victim.pid, start: victim.named.start });
    assert.equal(plan.radius['processes'], 1);
    const states: string[] = [];
    const watch = setInterval(() => states.push(victim.state), 1);
    const { outcome, collection } = await lab.apply(plan);
    clearInterval(watch);
    assert.equal(outcome.outcome, 'executed');
    assert.equal(states.includes('T'), true, 'it was stopped');
    assert.notEqual(victim.state, 'T');
    assert.equal(collection.frozen > 0, true);
    const undone = await lab.kind.undo(plan.inverse as never, new AbortController().signal);
    assert.equal(undone.outcome, 'gone', 'there is nothing to take back');
  });

  it('kills the process after the reading, if the command says so', async () => {
    using lab = new Lab();
    await using victim = await Victim.start('python3', mapping('1 << 20', [1]));
    const ended = once(victim.child, 'exit');
    const { collection } = await lab.collect({ what: 'memory', ...victim.named, freeze: 'true', afterwards: 'kill' });
    assert.equal((await ended)[1], 'SIGKILL');
    assert.equal(lab.contentOf(collection.items[0]).includes('marked-01'), true);
  });

  it('leaves a process stopped that was stopped before', async () => {
    using lab = new Lab();
    await using victim = await Victim.start('python3', mapping('1 << 20', [1]));
    victim.child.kill('SIGSTOP');
    while (victim.state !== 'T') await new Promise((resolve) => setImmediate(resolve));
    const plan = await lab.plan({ what: 'memory', ...victim.named, freeze: 'true' });
    assert.equal(plan.inverse, null);
    assert.deepEqual(plan.spared, ['the process is stopped already, and stays so']);
    await lab.apply(plan);
    assert.equal(victim.state, 'T');
  });

  it('is refused with a stop for a protected process, and for the agent itself', async () => {
    using lab = new Lab({ isProtected: () => 'a service of the host' });
    await using victim = await Victim.start('python3', mapping('1 << 20', [1]));
    const named = victim.named;
    await assert.rejects(lab.plan({ what: 'memory', ...named, freeze: 'true' }), /a service of the host/);
    assert.notEqual(victim.state, 'T');
    const { outcome } = await lab.collect({ what: 'memory', ...named });
    assert.equal(outcome.outcome, 'executed', 'reading changes nothing, and is allowed');
  });

  it('ends at its limit of bytes, and lets the process go on', async () => {
    using lab = new Lab();
    const fill =
      'for i in range(0, 64 << 20, 4096): m[i] = 1\nm[0] = 1\nwhile True: print("filled", flush=True); time.sleep(0.01)';
    await using victim = await Victim.start('python3', mapping('64 << 20', [], fill));
    while (residentPages(victim.pid) < 10_000) await once(victim.child.stdout as NodeJS.EventEmitter, 'data');
    const { outcome, collection } = await lab.collect({
      what: 'memory',
      ...victim.named,
      freeze: 'true',
      bytes: '9000000',
    });
    assert.equal(outcome.facts['cut'], 'its limit of bytes');
    assert.equal(collection.items.find(({ kind }) => kind === 'memory')?.size, 9_000_000);
    assert.notEqual(victim.state, 'T');
  });
});
