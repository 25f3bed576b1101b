/**
 * Prints the speed of collections beside `cat` and SHA-256 of the same bytes, and how long a process stands still:
 * `node --conditions=@ringfence/source packages/response/bench/collect.ts [--megabytes 512] [--rounds 3]`. Needs root.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptArguments } from '@ringfence/base/script';
import { createSigningKey } from '@ringfence/wire';
import { collectKind, EvidenceStore } from '../src/index.ts';

const { values } = scriptArguments(import.meta.filename, {
  options: { megabytes: { type: 'string', default: '512' }, rounds: { type: 'string', default: '3' } },
});
const bytes = Number(values.megabytes) * 2 ** 20;
const directory = mkdtempSync(join(tmpdir(), 'rf-bench-collect-'));
const file = join(directory, 'file');

function find(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const start = BigInt(fields[19] as string) * 10_000_000n;
  return { tgid: pid, start, parentTgid: Number(fields[1]), executable: readlinkSync(`/proc/${pid}/exe`) };
}

async function seconds(run: () => unknown): Promise<number> {
  const began = performance.now();
  await run();
  return (performance.now() - began) / 1000;
}

const rate = (taken: number): string => `${(bytes / 1e6 / taken).toFixed(0)} MB/s`;

/** Copies with cat, makes the copy durable, and hashes it. */
function baseline(): void {
  const copy = join(directory, 'copy');
  execFileSync('sh', ['-c', `cat ${file} > ${copy} && sync ${copy} && sha256sum ${copy}`], { stdio: 'ignore' });
  rmSync(copy);
}

/** Collects into a new store. Returns the time of the plan, of the action, and of the pause, s. */
async function collect(parameters: Readonly<Record<string, string>>): Promise<readonly [number, number, number]> {
  const store = new EvidenceStore({
    directory: join(directory, 'evidence'),
    key: createSigningKey(),
    maxBytes: 2 ** 40,
  });
  const orderOf = () => ({ who: 'bench', why: 'bench' });
  const kind = collectKind({ store, find, isProtected: () => null, orderOf });
  const parsed = kind.parameters.parse(parameters);
  const began = performance.now();
  const plan = await kind.plan(parsed, { id: 'bench', until: 0 });
  const planned = performance.now();
  const { outcome, reason, facts } = await kind.apply(plan, new AbortController().signal);
  const ended = performance.now();
  if (outcome !== 'executed') throw new Error(reason);
  store[Symbol.dispose]();
  rmSync(store.directory, { recursive: true });
  return [(planned - began) / 1000, (ended - planned) / 1000, Number(facts['frozenMicros'] ?? 0) / 1e6];
}

const script = `import os, time
m = bytearray(${bytes})
b = os.urandom(1 << 20)
for i in range(0, len(m), 1 << 20): m[i:i + (1 << 20)] = b
print("ready", flush=True)
time.sleep(100000)`;
execFileSync('sh', ['-c', `head -c ${bytes} /dev/urandom > ${file} && sync ${file}`]);
const victim = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
await once(victim.stdout, 'data');
try {
  const pid = victim.pid as number;
  const named = { pid: String(pid), start: String(find(pid).start) };
  for (let round = 0; round < Number(values.rounds); round++) {
    console.log(`cat + sync + sha256sum        ${rate(await seconds(baseline))}`);
    const [planned, taken] = await collect({ what: 'file', path: file });
    console.log(`collect file                  ${rate(taken)}, dry run ${(planned * 1000).toFixed(0)} ms`);
    const [, memory] = await collect({ what: 'memory', ...named });
    console.log(`collect memory                ${rate(memory)}`);
    const [, frozen, pause] = await collect({ what: 'memory', ...named, freeze: 'true' });
    const perGigabyte = (pause * 1e9) / bytes;
    console.log(`collect memory, stopped       ${rate(frozen)}, pause ${perGigabyte.toFixed(2)} s per GB`);
  }
} finally {
  victim.kill('SIGKILL');
  rmSync(directory, { recursive: true });
}
