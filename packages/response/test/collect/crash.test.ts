import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sha256Hex } from '../../src/collect/chain.ts';
import { collectKind } from '../../src/collect/collect.ts';
import { EvidenceStore } from '../../src/collect/store.ts';
import { verifyStore } from '../../src/collect/verify-store.ts';
import { findProcess, Lab, Victim } from './lab.ts';

const CHILD = join(import.meta.dirname, 'agent-child.ts');
const signal = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Processes that read evidence into this folder, by the file that they write */
function readersOf(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const fds = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      return fds.some((target) => target.startsWith(directory) && target.endsWith('.part'));
    } catch {
      return false;
    }
  });
}

describe('an agent that is killed while it collects', () => {
  it('leaves nothing half in the store, no reading process, and a victim that the inverse lets go on', async () => {
    using lab = new Lab();
    const fill =
      'import time\nm = bytearray(400 << 20)\nfor i in range(0, len(m), 4096): m[i] = 1\nprint("ready", flush=True)\ntime.sleep(1000)';
    await using victim = await Victim.start('python3', ['-c', fill]);
    const directory = join(lab.directory, 'other');
    const agent = spawn(process.execPath, [...process.execArgv, CHILD, directory, String(victim.pid)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(agent.stdout, 'data')) as [Buffer];
    const inverse = JSON.parse(line.toString());
    while (victim.state !== 'T' || readersOf(directory).length === 0) await turn();
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    while (readersOf(directory).length > 0) await turn();
    assert.equal(victim.state, 'T', 'the victim is still stopped');
    assert.equal(readdirSync(join(directory, 'incoming')).length, 1);

    using store = new EvidenceStore({ directory, key: lab.key, maxBytes: 2 ** 40 });
    assert.deepEqual(readdirSync(join(directory, 'incoming')), []);
    assert.deepEqual(await verifyStore(directory, lab.key.publicKey), {
      ...{ problems: [], head: store.head, collections: 0, contents: 0 },
    });
    const orderOf = () => ({ who: 'responder-1', why: 'a test' });
    const kind = collectKind({ store, find: findProcess, isProtected: () => null, orderOf });
    const undone = await kind.undo(inverse, signal);
    assert.equal(undone.outcome, 'executed');
    assert.notEqual(victim.state, 'T');
    victim.child.kill('SIGSTOP');
    while (victim.state !== 'T') await turn();
    assert.equal((await kind.undo(inverse, signal)).outcome, 'gone', 'a second call changes nothing more');
    assert.equal(victim.state, 'T');
  });

  it('at the moment between the contents and their entry: the contents are removed, those of others are not', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'file');
    writeFileSync(path, 'kept');
    await lab.collect({ what: 'file', path });
    lab.store[Symbol.dispose]();
    const incoming = join(lab.evidence, 'incoming', 'unfinished');
    mkdirSync(incoming);
    for (const text of ['kept', 'half']) writeFileSync(join(incoming, sha256Hex(Buffer.from(text))), text);
    const half = join(lab.evidence, 'content', sha256Hex(Buffer.from('half')));
    linkSync(join(incoming, sha256Hex(Buffer.from('half'))), half);
    writeFileSync(join(lab.evidence, 'incoming', '000000000002.json.new'), '{"half":');
    using store = new EvidenceStore({ directory: lab.evidence, key: lab.key, maxBytes: 1 << 30 });
    assert.equal(store.head.sequence, 1);
    assert.equal(existsSync(half), false);
    assert.equal(readFileSync(join(lab.evidence, 'content', sha256Hex(Buffer.from('kept'))), 'utf8'), 'kept');
    assert.deepEqual((await verifyStore(lab.evidence, lab.key.publicKey)).problems, []);
  });

  it('at the moment after the entry: the contents stay', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'file');
    writeFileSync(path, 'kept');
    const { collection } = await lab.collect({ what: 'file', path });
    lab.store[Symbol.dispose]();
    const { sha256 = '' } = collection.items[0] ?? {};
    const incoming = join(lab.evidence, 'incoming', 'unfinished');
    mkdirSync(incoming);
    linkSync(join(lab.evidence, 'content', sha256), join(incoming, sha256));
    using store = new EvidenceStore({ directory: lab.evidence, key: lab.key, maxBytes: 1 << 30 });
    assert.equal(store.head.sequence, 1);
    assert.deepEqual(readdirSync(join(lab.evidence, 'incoming')), []);
    assert.deepEqual((await verifyStore(lab.evidence, lab.key.publicKey)).problems, []);
  });
});

describe('a collection that is aborted', () => {
  it('ends at once, keeps what was finished, and lets the process go on', async () => {
    using lab = new Lab();
    await using victim = await Victim.start('sh', ['-c', 'echo ready; exec sleep 1000']);
    const plan = await lab.plan({ what: 'packets', seconds: '600' });
    const { outcome, collection } = await lab.apply(plan, AbortSignal.timeout(1500));
    assert.equal(outcome.outcome, 'failed');
    assert.match(outcome.reason, /its deadline has passed/);
    assert.equal(collection.end, 'killed');
    const frozen = await lab.plan({ what: 'memory', ...victim.named, freeze: 'true' });
    await lab.apply(frozen, AbortSignal.abort());
    assert.notEqual(victim.state, 'T');
  });
});
