import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockKind } from '../../src/accounts/lock.ts';
import { hasSessions, processesOf } from '../../src/accounts/sessions.ts';
import type { ActionRefusedError } from '../../src/errors.ts';
import { snapshot } from '../files/file-systems.ts';
import { NEVER, RunKind } from '../files/run-kind.ts';
import { accountHost, HASH } from './account-host.ts';

const skip = process.geteuid?.() === 0 ? false : 'needs root: it changes owners and starts sessions';
const isRefused = (reason: string) => (error: ActionRefusedError) => error.reason === reason;
const GRACE = { graceMs: 200 };

describe('lock of an account', { skip }, () => {
  it('locks the password and lets the account expire, and restores the very fields', async () => {
    using host = accountHost();
    const before = snapshot(host.at('/etc/shadow'));
    const lock = new RunKind(lockKind({ hostRoot: host.root }));
    const plan = await lock.plan({ name: 'eve', sessions: 'none' });
    assert.equal(JSON.stringify(plan).includes(HASH), false, 'the hash of the password stays in its file');
    assert.equal((await lock.run({ name: 'eve', sessions: 'none' })).outcome, 'executed');
    assert.match(host.read('/etc/shadow'), /^eve:!\$y\$j9T\$abc\$def:19001:0:99999:7::1:$/m);
    assert.equal((await lock.undo()).facts['unlocked'], 'as before');
    assert.deepEqual(snapshot(host.at('/etc/shadow')), before);
  });

  it('restores its own fields alone when others have changed the file since', async () => {
    using host = accountHost();
    const lock = new RunKind(lockKind({ hostRoot: host.root }));
    await lock.run({ name: 'eve', sessions: 'none' });
    host.write('/etc/shadow', host.read('/etc/shadow').replace(':1:\n', ':20500:\n').replace('bob:!', 'bob:x'));
    assert.match((await lock.undo()).facts['unlocked'] ?? '', /field 8 was changed since/);
    assert.match(host.read('/etc/shadow'), /^eve:\$y\$j9T\$abc\$def:19001:0:99999:7::20500:\nbob:x:/m);
  });

  it('keeps a lock that was there before', async () => {
    using host = accountHost();
    const lock = new RunKind(lockKind({ hostRoot: host.root }));
    await lock.run({ name: 'bob', sessions: 'none' });
    await lock.undo();
    assert.match(host.read('/etc/shadow'), /^bob:!:19002:0:99999:7::20000:$/m);
  });

  it('leaves the lock of another program, which it did not make, when it was refused', async () => {
    using host = accountHost();
    const lock = new RunKind(lockKind({ hostRoot: host.root }));
    const theirs = `eve:!${HASH}:19001:0:99999:7::1:`;
    const others = (): void => {
      host.write(
        '/etc/shadow.new',
        host.read('/etc/shadow').replace(/^eve:.*/m, () => theirs),
      );
      renameSync(host.at('/etc/shadow.new'), host.at('/etc/shadow'));
    };
    await assert.rejects(lock.run({ name: 'eve', sessions: 'none' }, others), isRefused('not-the-target'));
    await lock.undo();
    assert.ok(host.read('/etc/shadow').includes(theirs));
  });

  it('is refused for root, for accounts that must stay, and for another uid; and is gone for none', async () => {
    using host = accountHost();
    const lock = new RunKind(lockKind({ hostRoot: host.root, neverLock: ['bob'] }));
    await assert.rejects(lock.plan({ name: 'root' }), isRefused('protected'));
    await assert.rejects(lock.plan({ name: 'bob' }), isRefused('protected'));
    await assert.rejects(lock.plan({ name: 'eve', uid: '1' }), isRefused('not-the-target'));
    host.write('/etc/passwd', `${host.read('/etc/passwd')}twin:x:1001:1::/:/bin/sh\n`);
    await assert.rejects(lock.plan({ name: 'eve', sessions: 'all' }), isRefused('not-possible'));
    assert.equal((await lock.run({ name: 'nobody-here' })).outcome, 'gone');
    for (const name of ['../x', 'a:b', '', 'a\nb'])
      assert.equal(lock.kind.parameters.safeParse({ name }).success, false);
  });

  it('waits for the lock that useradd and passwd take', async (t) => {
    using host = accountHost();
    const script =
      'import fcntl,sys; f=open(sys.argv[1],"w"); fcntl.lockf(f,fcntl.LOCK_EX); print("held",flush=True); sys.stdin.read()';
    const holder = spawn('python3', ['-c', script, host.at('/etc/.pwd.lock')], { stdio: ['pipe', 'pipe', 'ignore'] });
    holder.on('error', () => {});
    if (holder.pid === undefined) return t.skip('python3 is not installed');
    await once(holder.stdout, 'data');
    const lock = new RunKind(lockKind({ hostRoot: host.root }));
    let isDone = false;
    const running = lock.run({ name: 'eve', sessions: 'none' }).then(() => {
      isDone = true;
    });
    await sleep(300);
    assert.deepEqual([isDone, host.read('/etc/shadow').includes('!$y')], [false, false]);
    holder.stdin.end();
    await running;
    assert.equal(host.read('/etc/shadow').includes('!$y'), true);
  });
});

/** A uid that no account of this machine has. */
const UID = 4_123_456;
const canLogin = hasSessions() && spawnSync('sh', ['-c', `echo ${UID} > /proc/self/loginuid`]).status === 0;
const sessionSkip = skip || (canLogin ? false : '/proc/self/loginuid cannot be set here');

/** Starts a script in a new login session of a user; resolves when it has printed a line. */
async function login(script: string, uid: number = UID): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', `echo ${uid} > /proc/self/loginuid; ${script}`], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(createInterface(child.stdout), 'line');
  return child;
}

const sessionOf = (child: ChildProcess): string => readFileSync(`/proc/${child.pid}/sessionid`, 'latin1');

function sessionHost(): ReturnType<typeof accountHost> {
  const host = accountHost();
  host.write('/etc/passwd', `root:x:0:0::/:/bin/sh\neve:x:${UID}:${UID}::/:/bin/sh\n`);
  return host;
}

describe('end of login sessions', { skip: sessionSkip }, () => {
  it('ends all processes of the account, those that ignore SIGHUP, left their session or forked on, and no others', async () => {
    using host = sessionHost();
    const bystander = await login('echo up; read x', UID + 1);
    await login('echo up; read x');
    await login("trap '' HUP; echo up; while :; do sleep 0.05; done");
    const daemon = await login('(setsid sleep 600 &) ; echo up; exit');
    await login("trap '' HUP; f() { sleep 0.02; f & }; f & echo up; wait; sleep 600");
    const lock = new RunKind(lockKind({ hostRoot: host.root, ...GRACE }));
    const plan = await lock.plan({ name: 'eve' });
    assert.ok((plan.radius['processes'] ?? 0) >= 4, JSON.stringify(plan.targets));
    const result = await lock.kind.apply(await lock.plan({ name: 'eve' }), AbortSignal.timeout(30_000));
    assert.deepEqual([result.outcome, result.reason], ['executed', '']);
    assert.deepEqual(processesOf({ uid: UID, ids: null }), []);
    assert.equal(bystander.exitCode ?? bystander.signalCode, null);
    assert.match((await lock.undo(JSON.stringify(plan.inverse))).facts['sessions'] ?? '', /stay ended/);
    bystander.kill('SIGKILL');
    daemon.kill('SIGKILL');
  });

  it('ends the named session alone', async () => {
    using host = sessionHost();
    const [one, other] = [await login('echo up; read x'), await login('echo up; read x')];
    const lock = new RunKind(lockKind({ hostRoot: host.root, ...GRACE }));
    const exited = once(one, 'exit');
    await lock.run({ name: 'eve', sessions: sessionOf(one) });
    assert.deepEqual(await exited, [null, 'SIGHUP']);
    assert.equal(other.signalCode, null);
    other.kill('SIGKILL');
  });

  it('leaves protected processes, and those that the agent descends from', async () => {
    using host = sessionHost();
    const child = await login('echo up; read x');
    const lock = new RunKind(lockKind({ hostRoot: host.root, ...GRACE, isProtected: (pid) => pid === child.pid }));
    const plan = await lock.plan({ name: 'eve' });
    assert.deepEqual([plan.radius['processes'], plan.spared.length], [0, 1]);
    assert.equal((await lock.kind.apply(plan, NEVER)).outcome, 'executed');
    assert.equal(child.signalCode, null);
    child.kill('SIGKILL');
    const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning'];
    const program = [process.execPath, ...args, join(import.meta.dirname, 'own-session-child.ts'), host.root];
    const run = `echo ${UID} > /proc/self/loginuid; "$@"; echo "status $?"`;
    const { stdout, stderr } = spawnSync('sh', ['-c', run, 'sh', ...program], { encoding: 'utf8' });
    assert.equal(stdout, 'executed 2 0\nstatus 0\n', stderr);
  });

  it('says which processes still live at the deadline', async () => {
    using host = sessionHost();
    const child = await login("trap '' HUP; echo up; while :; do sleep 0.05; done");
    const lock = new RunKind(lockKind({ hostRoot: host.root, graceMs: 60_000 }));
    const plan = await lock.plan({ name: 'eve' });
    const result = await lock.kind.apply(plan, AbortSignal.timeout(300));
    assert.equal(result.outcome, 'executed', 'a failed action would be taken back');
    assert.match(result.reason, new RegExp(`still live:.* ${child.pid}`));
    await new RunKind(lockKind({ hostRoot: host.root, ...GRACE })).run({ name: 'eve' });
  });
});
