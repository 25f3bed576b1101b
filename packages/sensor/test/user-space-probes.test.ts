import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bodyOf, kernelSkip, memoryBus, readEvents, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import { decodeText } from '@ringfence/wire';
import { absentFiles, findProbedFiles, wantedPrograms } from '../src/attach/user-space-probes.ts';
import { isProbe } from '../src/programs.ts';

const none = { pam: false, shell: false, tls: false, files: [] };
/** The kernel detaches a link some time after its last reference is gone: bpf_link_put uses a work queue. */
const LINK_MS = 500;
const PAM = '../../../test/kernel/programs/pam.c';

describe('the files that are probed', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'ringfence-probes-'));
    for (const directory of ['usr/bin', 'usr/lib/x86_64-linux-gnu', 'usr/lib64', 'opt'])
      mkdirSync(join(root, directory), { recursive: true });
    symlinkSync('usr/bin', join(root, 'bin'));
    writeFileSync(join(root, 'usr/bin/bash'), '');
    writeFileSync(join(root, 'usr/lib/x86_64-linux-gnu/libpam.so.0.85.1'), '');
    symlinkSync('libpam.so.0.85.1', join(root, 'usr/lib/x86_64-linux-gnu/libpam.so.0'));
    linkSync(join(root, 'usr/lib/x86_64-linux-gnu/libpam.so.0.85.1'), join(root, 'usr/lib64/libpam.so.0'));
    writeFileSync(join(root, 'opt/libssl.so.3'), '');
  });
  after(() => rmSync(root, { recursive: true }));

  it('are found where distributions install them, each once even if it has several names', () => {
    const files = findProbedFiles({ ...none, pam: true, shell: true }, root);
    assert.deepEqual(
      files.map(({ path }) => path.slice(root.length)),
      ['/usr/lib/x86_64-linux-gnu/libpam.so.0.85.1', '/usr/bin/bash'],
    );
  });

  it('are none by default, and additional ones if they are configured', () => {
    assert.deepEqual(findProbedFiles(none, root), []);
    const files = ['/opt/libssl.so.3', '/opt/unknown'];
    assert.deepEqual(findProbedFiles({ ...none, files }, root), []);
    const [file, ...rest] = findProbedFiles({ ...none, tls: true, files }, root);
    assert.equal(file?.path, join(root, 'opt/libssl.so.3'));
    assert.deepEqual(rest, []);
  });

  it("exclude those that a link out of the host's root leads to", () => {
    symlinkSync('/bin/sh', join(root, 'usr/lib64/libssl.so.3'));
    assert.deepEqual(findProbedFiles({ ...none, tls: true }, root), []);
    rmSync(join(root, 'usr/lib64/libssl.so.3'));
  });

  it('are reported as absent if the host lacks them', () => {
    const options = { ...none, pam: true, tls: true };
    assert.deepEqual(absentFiles(options, findProbedFiles(options, root)), ['libssl.so.3']);
    assert.deepEqual(absentFiles(none, []), []);
  });
});

it('the section of a program shows whether it is a probe, and probes are loaded only if they are enabled', () => {
  assert.deepEqual(['uprobe', 'uretprobe', 'tp_btf/x', 'uprobes'].map(isProbe), [true, true, false, false]);
  assert.equal(wantedPrograms(none).size, 0);
  assert.deepEqual([...wantedPrograms({ ...none, shell: true })], ['shell_line_exit', 'shell_library_exit']);
});

const skip =
  kernelSkip() || (findProbedFiles({ ...none, pam: true }, '/').length > 0 ? false : 'this host has no libpam.so.0');
describe('a collector with probes', { skip }, () => {
  const probes = { ...none, pam: true };
  const pinned = (place: TestPlace): string[] =>
    readdirSync(place.pinPath).filter((name) => name.startsWith('link_probe_'));

  /** Fails to authenticate the user. */
  function failLogin(place: TestPlace, user: string): void {
    const program = join(place.directory, 'pam');
    if (!existsSync(program)) execFileSync('cc', ['-o', program, join(import.meta.dirname, PAM)]);
    writeFileSync(join(place.directory, 'rf-no'), 'auth required pam_deny.so\n');
    assert.equal(spawnSync(program, ['rf-no', user, place.directory]).status, 7);
  }

  it('reports an authentication, and removes its probes at the end', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const collector = await startTestCollector(place, bus, { probes });
    assert.ok(pinned(place).length >= 7);
    failLogin(place, 'mallory');
    await collector.settle();
    await collector.close();
    const found = (await readEvents(bus)).flatMap((event) => bodyOf(event, 'Authentication') ?? []);
    const refusals = found.filter(({ service }) => decodeText(service.bytes) === 'rf-no');
    assert.deepEqual(
      refusals.map(({ result, sourceCaller, user }) => [result, sourceCaller, decodeText(user.bytes)]),
      [[7, true, 'mallory']],
    );
    assert.ok(!existsSync(place.pinPath));
  });

  it('sets the probes according to the current settings when it resumes a pinned sensor', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const start = (on: boolean) => startTestCollector(place, bus, { keepPinned: true, probes: on ? probes : none });
    const users = async () => {
      const found = (await readEvents(bus)).flatMap((event) => bodyOf(event, 'Authentication') ?? []);
      return found
        .filter(({ service }) => decodeText(service.bytes) === 'rf-no')
        .map(({ user }) => decodeText(user.bytes));
    };
    await (await start(true)).close();
    failLogin(place, 'without a reader');
    const off = await start(false);
    assert.equal(off.stats().resumed, true);
    assert.deepEqual(pinned(place), []);
    await sleep(LINK_MS);
    failLogin(place, 'off');
    await off.close();
    const on = await start(true);
    assert.equal(on.stats().resumed, true);
    failLogin(place, 'on again');
    await on.settle();
    await on.close();
    assert.deepEqual(await users(), ['without a reader', 'on again']);
  });
});
