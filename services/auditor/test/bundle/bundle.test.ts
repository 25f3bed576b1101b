import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { createSigningKey, fingerprintOf } from '@ringfence/wire';
import { buildBundle, verifyBundle } from '../../src/bundle/index.ts';
import { inert } from '../../src/bundle/inert.ts';
import { readZip, writeZip } from '../../src/bundle/zip.ts';
import { tempDir } from '../support.ts';
import { createKeys, HOSTILE, publishedHeads, storedEvidence, testBundle } from './support.ts';

const problemsOf = (bundle: Buffer, root?: string): string[] =>
  verifyBundle(bundle, root).problems.map(({ where, what }) => `${where}: ${what}`);

suite('an exported incident', () => {
  test('has its records, linked to heads that an auditor signed, and leads to the root key', async () => {
    using directory = tempDir();
    const keys = createKeys();
    const found = verifyBundle(await testBundle(directory.path, keys), fingerprintOf(keys.root.publicKey));
    assert.deepEqual(found.problems, []);
    assert.equal(found.root, fingerprintOf(keys.root.publicKey));
    assert.equal(found.signer, 'auditor-1');
    assert.deepEqual(found.chains.map(({ name, records, upTo }) => [name, records, upTo]).toSorted(), [
      ['ringfence.alerts/0 alert', 3, 'signed'],
      ['ringfence.commands/0 command', 3, 'signed'],
      ['ringfence.incidents/0 incident', 3, 'signed'],
      ['ringfence.operator/0 operator', 1, 'signed'],
      ['ringfence.results/0 result', 3, 'signed'],
    ]);
  });

  test('has no byte beside its members and their headers, and any program opens it', async (t) => {
    using directory = tempDir();
    const keys = createKeys();
    const bundle = await testBundle(directory.path, keys);
    assert.ok(writeZip(readZip(bundle).members).equals(bundle));
    const file = join(directory.path, 'inc.zip');
    writeFileSync(file, bundle);
    const { status, stdout, error } = spawnSync('unzip', ['-t', file], { encoding: 'utf8' });
    if (error !== undefined) return t.skip('unzip is not installed');
    assert.equal(status, 0, stdout);
    assert.match(stdout, /index\.html +OK/);
  });

  test('names the member, record or place of every flipped byte', async () => {
    using directory = tempDir();
    const bundle = await testBundle(directory.path, createKeys());
    const { members } = readZip(bundle);
    const structure = members.flatMap(({ offset }) => Array.from({ length: 40 }, (_, back) => offset - 1 - back));
    const tail = Array.from({ length: 700 }, (_, back) => bundle.length - 1 - back);
    const everyNth = Array.from({ length: Math.ceil(bundle.length / 211) }, (_, n) => n * 211);
    const signature = members.find(({ name }) => name === 'signature.json');
    assert.ok(signature);
    const signed = Array.from({ length: signature.bytes.length }, (_, n) => signature.offset + n);
    for (const at of new Set([...structure, ...tail, ...everyNth, ...signed].filter((place) => place >= 0))) {
      const flipped = Buffer.from(bundle);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const { problems } = verifyBundle(flipped);
      const inside = members.find(({ offset, bytes }) => at >= offset && at < offset + bytes.length);
      assert.ok(problems.length > 0, `byte ${at} was flipped unseen`);
      // A byte of a header is named as the container's, or as that of the member behind it.
      const behind = members.find(({ offset }) => at < offset);
      const names = inside === undefined ? ['container', behind?.name ?? 'container'] : [inside.name];
      const isNamed = problems.some(({ where }) => names.some((name) => where.includes(name)));
      assert.ok(isNamed, `byte ${at} of ${names[0]}: ${JSON.stringify(problems.slice(0, 3))}`);
    }
  });

  test('of another root key, a revoked key, or a key of no auditor is refused', async () => {
    using directory = tempDir();
    const { evidence, heads } = await storedEvidence(directory.path);
    const build = (keys: ReturnType<typeof createKeys>, root = keys.root.publicKey): Buffer =>
      buildBundle({
        evidence,
        heads: publishedHeads(heads, keys),
        signer: { key: keys.auditor, root, enrolment: keys.enrolment, hostId: 'h' },
        now: 1_800_000_000_000,
      });
    const keys = createKeys();
    assert.match(problemsOf(build(keys), 'ab'.repeat(32)).join(), /leads to the root key .*, not to abab/);
    assert.match(problemsOf(build(keys, createSigningKey().publicKey)).join(), /not signed by the root key/);
    assert.match(problemsOf(build(createKeys(6))).join(), /had been revoked/);
    assert.match(problemsOf(build(createKeys(0, 'detector'))).join(), /is not one of an auditor/);
  });

  test('whose record, order or head was exchanged and signed anew by a thief leads to another root key', async () => {
    using directory = tempDir();
    const keys = createKeys();
    const { evidence, heads } = await storedEvidence(directory.path);
    const [first, ...rest] = evidence.records;
    assert.ok(first);
    const changed = { ...evidence, records: [{ ...first, payload: Buffer.from('x') }, ...rest] };
    const thief = createSigningKey();
    const signer = { key: thief, root: thief.publicKey, enrolment: null, hostId: 'h' };
    const bundle = buildBundle({ evidence: changed, heads: publishedHeads(heads, keys), signer, now: 1 });
    const problems = problemsOf(bundle, fingerprintOf(keys.root.publicKey)).join('\n');
    assert.match(problems, /records\.jsonl line 1 \(\w+ \S+\): differs from its hash/);
    assert.match(problems, /signature\.json: leads to the root key/);
    assert.match(problems, /the enrolment of its key is not signed by the root key/);
  });

  test('shows text of an attacker as text: no markup, and a mark for each hidden character', async () => {
    using directory = tempDir();
    const bundle = await testBundle(directory.path, createKeys(), HOSTILE);
    assert.deepEqual(problemsOf(bundle), []);
    const page =
      readZip(bundle)
        .members.find(({ name }) => name === 'index.html')
        ?.bytes.toString('utf8') ?? '';
    assert.match(page, /&lt;script&gt;alert/);
    assert.doesNotMatch(page, /<script|<img|<a |javascript:|https?:/i);
    assert.doesNotMatch(page.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.equal(inert('a\u202eb\u{e0041}'), '<bdi>a<i>U+202E</i>b<i>U+E0041</i></bdi>');
    assert.match(page, /default-src 'none'/);
  });
});

test('rubbish, a truncated container and a container of nothing are refused, and not read beyond their end', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('PK'), Buffer.alloc(100, 0x50), writeZip([])])
    assert.ok(verifyBundle(bytes).problemCount > 0);
  const whole = writeZip([{ name: 'manifest.json', bytes: Buffer.from('{"members":null}') }]);
  for (let length = 0; length < whole.length; length++)
    assert.ok(verifyBundle(whole.subarray(0, length)).problemCount > 0);
});
