import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Response } from '@ringfence/runtime/client';
import { Group, Scratch } from '@ringfence/testkit/sensor';
import { isStopped, processesIn, startReady } from './lib/processes.ts';
import { Installation, type Running } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

const POLICY = `policy: hoppers
mode: enforce
when: {rules: [Hopper]}
do: kill
`;

const RULE = `- rule: Hopper
  desc: The program of this test was executed in a way that forks away.
  condition: event.action = exec and process.command_line contains hop-exec
  output: "%process.command_line"
  priority: critical
  tags: [execution]
`;

describe('responses of operators and policies', { skip, concurrency: false }, () => {
  let home: Installation;
  let up: Running;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('tree');
    home = new Installation();
    writeFileSync(join(home.dir, 'hopper.yaml'), RULE);
    writeFileSync(join(home.dir, 'policy.yaml'), POLICY);
    home.settings.push(`detector.rules=${join(home.dir, 'hopper.yaml')}`);
    home.settings.push(`responder.policies=${join(home.dir, 'policy.yaml')}`);
    up = await home.up();
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    scratch?.[Symbol.dispose]();
  });

  async function respond(...args: string[]): Promise<Response> {
    const output = await home.output(['respond', ...args, '--json']);
    const [response] = JSON.parse(output) as Response[];
    assert.ok(response);
    return response;
  }

  test('an attacker that forks away before the kill is dead whole, and the incident is contained only then', async () => {
    await using group = new Group();
    await startReady(group, program, 'hop-exec');
    await until('nothing of the tree lives', () => processesIn(group).length === 0);
    await until('the kill has its result', async () => {
      using audit = home.audit();
      const [incident] = await Array.fromAsync(audit.incidents());
      const results = incident === undefined ? [] : (audit.incident(incident.id)?.results ?? []);
      return results.some(({ outcome, children }) => outcome === 'executed' && children === 0);
    });
  });

  test('a plan lists what an action would change, and changes nothing', async () => {
    await using group = new Group();
    const { pid } = await startReady(group, program, 'idle');
    const plan = await respond('plan', 'kill', '--pid', String(pid));
    assert.deepEqual([plan.outcome, plan.facts['processes']], ['planned', '111']);
    assert.equal(processesIn(group).length, 111);
    const refused = await home.run(['respond', 'plan', 'kill', '--pid', String(up.pid)]);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /protected: .*the agent or one of its ancestors/);
  });

  test('a suspension outlives an agent that is killed, and is taken back by its id', async () => {
    await using group = new Group();
    const { pid } = await startReady(group, program, 'idle');
    const args = ['suspend', '--pid', String(pid), '--reach', 'cgroup', '--reason', 'a test'];
    const { command, outcome } = await respond('run', ...args);
    assert.equal(outcome, 'executed');
    await up.stop('SIGKILL');
    assert.ok(processesIn(group).every(isStopped));
    up = await home.up();
    assert.ok(processesIn(group).every(isStopped));
    const undone = await respond('undo', command, '--reason', 'a test');
    assert.deepEqual([undone.outcome, undone.facts['resumed']], ['executed', '111']);
    assert.ok(!processesIn(group).some(isStopped));
    assert.equal((await respond('undo', command, '--reason', 'again')).outcome, 'gone');
  });

  test('a suspension ends at its time, at the next start if no agent ran then', async () => {
    await using group = new Group();
    const { pid } = await startReady(group, program, 'idle');
    const args = ['suspend', '--pid', String(pid), '--for', '3s', '--reason', 'a test'];
    await respond('run', ...args);
    await until('it goes on by itself', () => !processesIn(group).some(isStopped));
    await respond('run', ...args);
    await up.stop('SIGKILL');
    up = await home.up();
    await until('it goes on after the start', () => !processesIn(group).some(isStopped));
  });

  test('panic takes everything back without a running ringfence, and needs a reason for a run', async () => {
    await using group = new Group();
    const { pid } = await startReady(group, program, 'idle');
    const refused = await home.run(['respond', 'run', 'suspend', '--pid', String(pid)]);
    assert.match(refused.stderr, /reason/);
    await respond('run', 'suspend', '--pid', String(pid), '--reason', 'a test');
    await up.stop('SIGKILL');
    assert.ok(processesIn(group).every(isStopped));
    assert.match(await home.output(['respond', 'panic', '--reason', 'a test']), /1 action taken back/);
    assert.ok(!processesIn(group).some(isStopped));
    up = await home.up();
  });

  test('files, accounts and memory are out of reach unless the settings of the agent name the action', async () => {
    const file = join(scratch.path, 'secret');
    writeFileSync(file, 'secret');
    const { outcome, reason } = await answerOf(home, 'quarantine', '--file', file);
    assert.deepEqual([outcome, reason], ['refused', 'unknown-action']);
    assert.equal(readFileSync(file, 'utf8'), 'secret');
  });
});

describe('actions that the settings allow', { skip, concurrency: false }, () => {
  let home: Installation;
  let scratch: Scratch;
  before(async () => {
    scratch = new Scratch();
    home = new Installation(['collector.actions=quarantine,revert,lock,collect']);
    await home.up();
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    scratch?.[Symbol.dispose]();
  });

  test('a file is quarantined by an operator, and given back', async () => {
    const file = join(scratch.path, 'miner');
    writeFileSync(file, 'a miner', { mode: 0o751 });
    const { outcome, command } = await answerOf(home, 'quarantine', '--file', file);
    assert.deepEqual([outcome, existsSync(file)], ['executed', false]);
    const undone = await home.output(['respond', 'undo', command, '--reason', 'a test', '--json']);
    assert.match(undone, /"outcome": "executed"/);
    assert.deepEqual([readFileSync(file, 'utf8'), statSync(file).mode & 0o777], ['a miner', 0o751]);
  });

  test('a process is collected into the signed store of its host', async () => {
    await using group = new Group();
    const { pid } = await startReady(group, scratch.compile('tree'), 'idle');
    const { outcome, facts } = await answerOf(home, 'collect', '--pid', String(pid), '--parameter', 'what=process');
    assert.equal(outcome, 'executed', JSON.stringify(facts));
    assert.ok(readdirSync(join(home.stateDir, 'evidence/content')).length > 0);
    assert.equal(processesIn(group).length, 111);
  });
});

async function answerOf(home: Installation, ...args: string[]): Promise<Response> {
  const { stdout, stderr } = await home.run(['respond', 'run', ...args, '--reason', 'a test', '--json']);
  assert.notEqual(stdout, '', stderr);
  return (JSON.parse(stdout) as Response[])[0] as Response;
}
