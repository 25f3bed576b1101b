import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { verifyStore } from '../../src/collect/verify-store.ts';
import { ActionRefusedError } from '../../src/errors.ts';
import { findProcess, Lab, Victim } from './lab.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('the collection of a process', () => {
  it('holds its environment, arguments, descriptors and its deleted executable', async () => {
    using lab = new Lab();
    const program = join(lab.directory, 'implant');
    copyFileSync('/bin/sleep', program);
    const script = `echo ready; exec ${program} 1000 3</etc/hostname`;
    await using victim = await Victim.start('sh', ['-c', script], {
      cwd: '/usr',
      env: { SECRET: 'in the environment' },
    });
    while (findProcess(victim.pid)?.executable !== program) await new Promise((resolve) => setImmediate(resolve));
    unlinkSync(program);

    const { outcome, collection } = await lab.collect({ what: 'process', ...victim.named });
    assert.equal(outcome.outcome, 'executed', outcome.reason);
    const named = (name: string) => lab.contentOf(collection.items.find((item) => item.name === name));
    assert.equal(named('environ').toString().includes('SECRET=in the environment\0'), true);
    assert.equal(named('cmdline').toString(), `${program}\0${1000}\0`);
    assert.equal(JSON.parse(named('links').toString()).cwd, '/usr');
    const descriptors = JSON.parse(named('fds').toString()) as { fd: number; target: string; info: string }[];
    const third = descriptors.find(({ fd }) => fd === 3);
    assert.equal(third?.target, '/etc/hostname');
    assert.match(third?.info ?? '', /^flags:/m);
    const executable = collection.items.find(({ kind }) => kind === 'executable');
    assert.equal(executable?.sha256, sha256(readFileSync('/bin/sleep')));
    assert.equal(executable?.source['path'], `${program} (deleted)`);
    assert.equal(collection.who, 'responder-1');
    assert.deepEqual((await verifyStore(lab.evidence, lab.key.publicKey)).problems, []);
  });

  it('names both ends of its sockets', async () => {
    using lab = new Lab();
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; echo ready; exec sleep 1000`;
    await using victim = await Victim.start('bash', ['-c', script]);
    const { collection } = await lab.collect({ what: 'process', ...victim.named });
    const sockets = JSON.parse(lab.contentOf(collection.items.find(({ kind }) => kind === 'sockets')).toString());
    const socket = sockets.find(({ remote }: { remote: string }) => remote === `127.0.0.1:${port}`);
    assert.equal(socket?.state, 'ESTABLISHED', JSON.stringify(sockets));
    server.close();
  });

  it('is refused when another process has the pid', async () => {
    using lab = new Lab();
    await using victim = await Victim.start('sh', ['-c', 'echo ready; exec sleep 1000']);
    const start = String(BigInt(victim.named.start) + 1n);
    const refused = lab.plan({ what: 'process', pid: victim.named.pid, start });
    await assert.rejects(refused, (error) => error instanceof ActionRefusedError && error.reason === 'not-the-target');
  });

  it('is refused when the process has ended since the plan', async () => {
    using lab = new Lab();
    await using victim = await Victim.start('sh', ['-c', 'echo ready; exec sleep 1000']);
    const plan = await lab.plan({ what: 'process', ...victim.named });
    await victim[Symbol.asyncDispose]();
    await assert.rejects(lab.apply(plan), (error) => error instanceof ActionRefusedError);
    assert.equal(lab.store.head.sequence, 0);
  });
});
