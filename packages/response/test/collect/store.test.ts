import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSigningKey } from '@ringfence/wire';
import { canonicalJson, entryName } from '../../src/collect/chain.ts';
import { pathBytes, pathText } from '../../src/collect/path-text.ts';
import { EvidenceStore } from '../../src/collect/store.ts';
import { type StoreProblem, verifyStore } from '../../src/collect/verify-store.ts';
import { ActionRefusedError, EvidenceError } from '../../src/errors.ts';
import { Lab } from './lab.ts';

/** A store with three collections and a line of custody, each content of which is another. */
async function filledLab(): Promise<Lab> {
  const lab = new Lab();
  for (const name of ['first', 'second', 'third']) {
    const path = join(lab.directory, name);
    writeFileSync(path, `the ${name} piece of evidence`);
    await lab.collect({ what: 'file', path });
  }
  const { items } = lab.lastCollection();
  lab.store.open([items[0]?.sha256 as string], { who: 'analyst', why: 'case 7', purpose: 'export' });
  return lab;
}

const entryPath = (lab: Lab, sequence: number): string => join(lab.evidence, 'chain', entryName(sequence));
const problemsOf = async (lab: Lab): Promise<readonly StoreProblem[]> =>
  (await verifyStore(lab.evidence, lab.key.publicKey)).problems;

describe('the evidence store', () => {
  it('is for its owner alone', async () => {
    using lab = await filledLab();
    for (const name of ['', 'chain', 'content', 'incoming'])
      assert.equal(statSync(join(lab.evidence, name)).mode & 0o777, 0o700, name);
    for (const folder of ['chain', 'content'])
      for (const name of readdirSync(join(lab.evidence, folder)))
        assert.equal(statSync(join(lab.evidence, folder, name)).mode & 0o777, 0o600, name);
    assert.deepEqual(readdirSync(join(lab.evidence, 'incoming')), []);
  });

  it('records who took what out, before it is handed out', async () => {
    using lab = await filledLab();
    const entry = JSON.parse(readFileSync(entryPath(lab, 4), 'utf8'));
    assert.deepEqual(
      { ...entry.custody, contents: entry.custody.contents.length },
      { who: 'analyst', why: 'case 7', purpose: 'export', contents: 1 },
    );
    assert.throws(() => lab.store.open(['0'.repeat(64)], { who: 'x', why: 'y', purpose: 'read' }), EvidenceError);
    assert.throws(() => lab.store.open(['../../etc/passwd'], { who: 'x', why: 'y', purpose: 'read' }), EvidenceError);
    assert.equal(lab.store.head.sequence, 4);
  });

  it('names the entry in which any byte was changed', async () => {
    using lab = await filledLab();
    const path = entryPath(lab, 2);
    const original = readFileSync(path);
    for (let at = 0; at < original.length; at++) {
      const changed = Buffer.from(original);
      changed[at] = (changed[at] as number) ^ ([0x01, 0x20, 0x80][at % 3] as number);
      writeFileSync(path, changed);
      const places = (await problemsOf(lab)).map(({ place }) => place);
      assert.equal(places.includes(`chain/${entryName(2)}`), true, `byte ${at}`);
    }
    for (const changed of [original.subarray(0, -1), Buffer.concat([original, Buffer.from('\n')]), Buffer.alloc(0)]) {
      writeFileSync(path, changed);
      assert.equal((await problemsOf(lab))[0]?.place, `chain/${entryName(2)}`);
    }
    writeFileSync(path, original);
    assert.deepEqual(await problemsOf(lab), []);
  });

  it('names the content of which any byte was changed, or that is cut, missing, replaced or added', async () => {
    using lab = await filledLab();
    const [name = ''] = readdirSync(join(lab.evidence, 'content'));
    const path = join(lab.evidence, 'content', name);
    const original = readFileSync(path);
    const expectPlace = async (place: string, problem: RegExp): Promise<void> => {
      const problems = await problemsOf(lab);
      assert.equal(problems.length, 1, JSON.stringify(problems));
      assert.equal(problems[0]?.place, place);
      assert.match(problems[0]?.problem ?? '', problem);
    };
    for (let at = 0; at < original.length; at++) {
      const changed = Buffer.from(original);
      changed[at] = (changed[at] as number) ^ 1;
      writeFileSync(path, changed);
      await expectPlace(`content/${name}`, /another SHA-256/);
    }
    writeFileSync(path, original.subarray(1));
    await expectPlace(`content/${name}`, /has \d+ bytes instead of/);
    unlinkSync(path);
    await expectPlace(`content/${name}`, /is missing/);
    writeFileSync(join(lab.directory, 'same'), original);
    symlinkSync(join(lab.directory, 'same'), path);
    await expectPlace(`content/${name}`, /is missing/);
    rmSync(path);
    mkdirSync(path);
    await expectPlace(`content/${name}`, /no regular file/);
    rmSync(path, { recursive: true });
    writeFileSync(path, original);
    writeFileSync(join(lab.evidence, 'content', 'f'.repeat(64)), 'planted');
    await expectPlace(`content/${'f'.repeat(64)}`, /no entry of the chain names it/);
  });

  it('names entries that were removed or reordered', async () => {
    using lab = await filledLab();
    const { head } = lab.store;
    renameSync(entryPath(lab, 2), join(lab.directory, 'aside'));
    const removed = await problemsOf(lab);
    assert.deepEqual(removed[0], { place: `chain/${entryName(2)}`, problem: 'is missing' });
    assert.match(removed[1]?.place ?? '', /^content\//);
    renameSync(entryPath(lab, 3), entryPath(lab, 2));
    renameSync(join(lab.directory, 'aside'), entryPath(lab, 3));
    const reordered = (await problemsOf(lab)).map(({ place, problem }) => `${place} ${problem}`);
    assert.equal(reordered[0], `chain/${entryName(2)} is entry 3, at the place of 2`);
    renameSync(entryPath(lab, 3), join(lab.directory, 'aside'));
    renameSync(entryPath(lab, 2), entryPath(lab, 3));
    renameSync(join(lab.directory, 'aside'), entryPath(lab, 2));
    assert.deepEqual(await problemsOf(lab), []);

    unlinkSync(entryPath(lab, 4));
    assert.deepEqual(await problemsOf(lab), [], 'a line at the end leaves nothing behind');
    const { problems } = await verifyStore(lab.evidence, lab.key.publicKey, head);
    assert.deepEqual(problems, [{ place: 'chain', problem: 'does not hold the entry 4 that was told before' }]);
    unlinkSync(entryPath(lab, 3));
    assert.match((await problemsOf(lab))[0]?.problem ?? '', /no entry of the chain names it/);
  });

  it('does not accept a chain that another key has signed', async () => {
    using lab = await filledLab();
    const { problems } = await verifyStore(lab.evidence, createSigningKey().publicKey);
    assert.equal(problems.filter(({ problem }) => problem === 'its signature does not fit').length, 4);
  });

  it('is opened by one process at a time, and by none when entries are missing', async () => {
    using lab = await filledLab();
    const options = { directory: lab.evidence, key: lab.key, maxBytes: 1 << 30 };
    assert.throws(() => new EvidenceStore(options), /another process has the evidence store/);
    lab.store[Symbol.dispose]();
    const reopened = new EvidenceStore(options);
    assert.equal(reopened.head.sequence, 4);
    reopened[Symbol.dispose]();
    unlinkSync(entryPath(lab, 2));
    assert.throws(() => new EvidenceStore(options), /entries were added or removed/);
  });

  it('refuses a collection when it is full, and ends one that fills it', async () => {
    using lab = new Lab({ maxBytes: 64 * 1024 });
    const path = join(lab.directory, 'large');
    writeFileSync(path, Buffer.alloc(1 << 20, 'x'));
    await assert.rejects(lab.plan({ what: 'file', path }), (error) => {
      return error instanceof ActionRefusedError && error.reason === 'too-large' && /1048576 bytes/.test(error.message);
    });
    const { outcome, collection } = await lab.collect({ what: 'file', path, bytes: '100000' });
    assert.equal(outcome.facts['end'], 'cut');
    assert.equal(outcome.facts['cut'], 'its limit of bytes');
    assert.equal(collection.items[0]?.size, 64 * 1024);
    assert.match(collection.items[0]?.notes[0] ?? '', /cut after 65536 bytes/);
    const plan = await lab.plan({ what: 'file', path, bytes: '1' });
    await assert.rejects(lab.apply(plan), /the evidence store is full/);
    assert.deepEqual(await problemsOf(lab), []);
  });

  it('keeps content that two commands have collected once', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'same');
    writeFileSync(path, 'same');
    await lab.collect({ what: 'file', path });
    await lab.collect({ what: 'file', path });
    assert.equal(readdirSync(join(lab.evidence, 'content')).length, 1);
    assert.equal((await verifyStore(lab.evidence, lab.key.publicKey)).collections, 2);
  });
});

describe('the text of a path', () => {
  it('gives back every byte', () => {
    const hostile = [
      Buffer.from('/a\\x41\n\x1b[2J\u202e\u00e9\ufffd'),
      Buffer.from([0x2f, 0xff, 0x5c, 0xfe, 0xc3, 0x28]),
    ];
    const every = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1));
    for (const bytes of [...hostile, every]) {
      const text = pathText(bytes);
      assert.deepEqual(pathBytes(text), bytes, text);
      assert.doesNotMatch(text, /[\p{Cc}\u202e]/u);
    }
    assert.equal(pathBytes('/a\\b'), null);
  });

  it('is canonical in a chain whatever the order of members', () => {
    assert.equal(canonicalJson({ b: [{ d: 1, c: 'é' }], a: null }), '{"a":null,"b":[{"c":"é","d":1}]}');
  });
});
