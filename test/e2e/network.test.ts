import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NetworkLab, PEER, PEER6, PORT, type Program } from '@ringfence/barrier/test/lab';
import type { Response } from '@ringfence/runtime/client';
import { Installation, type Running } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

/** An address that nothing on this machine talks to: RFC 5737. */
const UNUSED = '203.0.113.7';

describe('orders about the network', { skip, concurrency: false }, () => {
  let home: Installation;
  let up: Running;
  let lab: NetworkLab;
  let program: Program;
  before(async () => {
    lab = await NetworkLab.start();
    program = await lab.program(lab.group());
    home = new Installation(['collector.actions=block,isolate']);
    up = await home.up();
  });
  after(async () => {
    await home?.output(['respond', 'panic', '--reason', 'the test ends']);
    await home?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  async function respond(...args: string[]): Promise<Response> {
    const { stdout, stderr } = await home.run(['respond', ...args, '--json']);
    const [response] = JSON.parse(stdout === '' ? '[]' : stdout) as Response[];
    assert.ok(response, stderr);
    return response;
  }
  const container = (): string[] => ['--pid', String(program.pid)];
  const isCut = async (host = PEER): Promise<boolean> => /timeout|EPERM/.test(await program.ask(`udp ${host} ${PORT}`));

  test('an isolation is planned with what it cuts, holds when the agent is killed, and is taken back', async () => {
    await program.ask(`hold tcp ${PEER} ${PORT}`);
    const plan = await respond('plan', 'isolate', ...container(), '--allow', PEER6);
    assert.deepEqual([plan.outcome, plan.facts['connections'], plan.facts['processes']], ['planned', '1', '1']);
    assert.match(plan.facts['targets'] ?? '', /^allow 2001:db8::2 in cgroup \/rf-.*\ndrop all other packets in cgroup/);
    assert.equal(await isCut(), false);
    const { command, outcome } = await respond(
      'run',
      'isolate',
      ...container(),
      '--allow',
      PEER6,
      '--reason',
      'a test',
    );
    assert.equal(outcome, 'executed');
    assert.deepEqual([await isCut(), await isCut(PEER6), await program.ask('use')], [true, false, 'timeout']);
    await up.stop('SIGKILL');
    assert.deepEqual([await isCut(), await isCut(PEER6)], [true, false]);
    up = await home.up();
    assert.deepEqual([await isCut(), await isCut(PEER6)], [true, false]);
    assert.equal((await respond('undo', command, '--reason', 'a test')).outcome, 'executed');
    assert.equal(await isCut(), false);
  });

  test('a block ends at its time, also while no agent runs', async () => {
    const args = ['block', '--address', PEER, ...container(), '--for', '4s', '--reason', 'a test'];
    const { outcome, reason, facts, command } = await respond('run', ...args);
    assert.equal(outcome, 'executed', `${reason} ${JSON.stringify(facts)}`);
    assert.equal(await isCut(), true);
    await up.stop('SIGKILL');
    assert.equal(await isCut(), true);
    await until('the kernel ends it', async () => !(await isCut()));
    up = await home.up();
    assert.equal((await respond('undo', command, '--reason', 'a test')).outcome, 'gone');
  });

  test('a block of the whole host is in force and taken back; what would cut too much is refused', async () => {
    const { command } = await respond('run', 'block', '--address', UNUSED, '--port', '443', '--reason', 'a test');
    assert.equal((await respond('undo', command, '--reason', 'a test')).outcome, 'executed');
    for (const address of ['0.0.0.0/0', '127.0.0.1', '::/0', '::1']) {
      const { outcome, reason } = await respond('plan', 'block', '--address', address);
      assert.deepEqual([outcome, reason], ['refused', 'protected'], address);
    }
    for (const wrong of ['0300.1.1.1', 'example.com', '10.0.0.0/33'])
      assert.deepEqual((await respond('plan', 'block', '--address', wrong)).reason, 'unreadable', wrong);
    const both = await respond('plan', 'block', '--address', UNUSED, '--domain', 'evil.test');
    assert.equal(both.reason, 'unreadable');
  });

  test('the plan of an isolation names processes whose packet sockets pass it', async () => {
    const sniffer = await lab.program(lab.group());
    assert.equal(await sniffer.ask('sniff'), 'ok');
    const plan = await respond('plan', 'isolate', '--pid', String(sniffer.pid));
    assert.match(plan.facts['spared'] ?? '', new RegExp(`${sniffer.pid} /.*: its packet socket passes`));
  });

  test('isolated twice, it needs to be released twice', async () => {
    const order = (): Promise<Response> => respond('run', 'isolate', ...container(), '--reason', 'a test');
    const [first, second] = [await order(), await order()];
    await respond('undo', first.command, '--reason', 'a test');
    assert.equal(await isCut(), true);
    await respond('undo', second.command, '--reason', 'a test');
    assert.equal(await isCut(), false);
  });

  test('panic releases it without a running agent, and beside one', async () => {
    for (const isRunning of [true, false]) {
      await respond('run', 'isolate', ...container(), '--reason', 'a test');
      assert.equal(await isCut(), true);
      if (!isRunning) await up.stop('SIGKILL');
      assert.match(await home.output(['respond', 'panic', '--reason', 'a test']), /1 action taken back/);
      assert.equal(await isCut(), false);
      if (isRunning) await up.stop();
      up = await home.up();
      assert.equal(await isCut(), false);
    }
  });
});
