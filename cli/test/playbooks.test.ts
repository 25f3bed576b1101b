import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { simulate } from '@ringfence/responder';
import { createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { loadedFrom, RIGHT, TESTS, WRONG } from './playbook-files.ts';
import { assertEscaped, HOSTILE, ringfence } from './support.ts';

suite('ringfence playbooks', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'rf-playbooks-'));
    writeFileSync(join(dir, 'right.yaml'), RIGHT);
    writeFileSync(join(dir, 'right.test.yaml'), TESTS);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  test('check reports each error with its line, a caret and a hint, and exits with 1', async () => {
    const file = join(dir, 'wrong.yaml.txt');
    writeFileSync(file, WRONG);
    const { code, stdout } = await ringfence(['playbooks', 'check', file]);
    assert.equal(code, 1);
    assert.match(stdout, /wrong\.yaml\.txt:5:5: steps\.0: unknown key "unless"/);
    assert.match(stdout, /wrong\.yaml\.txt:7:9: steps\.1\.if: .*hint: Did you mean/);
    assert.match(stdout, /\n {2} {4}if: suspendd\.outcome = executed\n {10}\^/);
    assert.match(stdout, /0 playbooks, 0 enforced: \d errors/);
  });

  test('check prints JSON, and accepts the built-in playbooks by default', async () => {
    const { code, stdout } = await ringfence(['playbooks', 'check', '--json']);
    assert.equal(code, 0);
    const { playbooks, problems } = JSON.parse(stdout) as { playbooks: { mode: string }[]; problems: unknown[] };
    assert.deepEqual([playbooks.every(({ mode }) => mode === 'observe'), problems], [true, []]);
  });

  test('test runs the tables beside the playbooks, and shows what differs', async () => {
    const passed = await ringfence(['playbooks', 'test', dir]);
    assert.equal(passed.code, 0, passed.stdout);
    assert.match(passed.stdout, /2 tests passed, 0 failed/);
    const file = join(dir, 'right.test.yaml');
    writeFileSync(file, TESTS.replace('expect: none', 'expect: [kill]'));
    const failed = await ringfence(['playbooks', 'test', file]);
    writeFileSync(file, TESTS);
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /- expected {2}kill\n.*\+ actual {4}none/);
  });

  test('test says how to write a test where there is none', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'rf-playbooks-'));
    const { code, stderr } = await ringfence(['playbooks', 'test', empty]);
    rmSync(empty, { recursive: true });
    assert.equal(code, 2);
    assert.match(stderr, /NAME\.test\.yaml/);
  });

  test('explain says what each step does', async () => {
    const { stdout } = await ringfence(['playbooks', 'explain', 'right', '--playbooks', dir]);
    assert.match(stdout, /right \(enforce\): each step is carried out; one run for each incident/);
    assert.match(stdout, /suspend: suspend tree, for 5m, on failure stops/);
    assert.match(stdout, /kill: waits 1m, if suspend\.outcome = executed, needs an approval within 1h, kill tree/);
  });

  test('schema prints a JSON Schema of the files and of their tests', async () => {
    for (const args of [[], ['--tests']]) {
      const { stdout } = await ringfence(['playbooks', 'schema', ...args]);
      assert.ok('$schema' in (JSON.parse(stdout) as object));
    }
  });

  test('simulate without a running ringfence says so', async () => {
    const { code, stderr } = await ringfence(['playbooks', 'simulate', dir, '--set', `runDir=${dir}`]);
    assert.equal(code, 1);
    assert.match(stderr, /no ringfence is running/);
  });

  test('what an attacker has named does not reach the terminal', async () => {
    const file = join(dir, 'hostile.yaml.txt');
    writeFileSync(file, `playbook: ${JSON.stringify(HOSTILE)}\nwhen: {}\nsteps: []\n${JSON.stringify(HOSTILE)}: 1\n`);
    assertEscaped((await ringfence(['playbooks', 'check', file])).stdout);
  });
});

suite('a simulation', () => {
  const alert = createTestAlert(1, { incident: 'inc-1', priority: 'critical' });

  test('has one run for an incident, about its oldest process, with the steps and their times', () => {
    const later = createTestAlert(2, { incident: 'inc-1', priority: 'critical', timestamp: alert.timestamp + 1 });
    const [run, ...others] = simulate(loadedFrom(RIGHT), [later, alert], []);
    assert.deepEqual(others, []);
    assert.ok(run);
    assert.deepEqual([run.cause, run.at, run.end], ['inc-1', alert.timestamp, 'completed']);
    assert.deepEqual(
      run.steps.map(({ name, afterMs }) => [name, afterMs]),
      [
        ['suspend', 0],
        ['kill', 60_000],
      ],
    );
  });

  test('gives incidents to playbooks that ask for them only', () => {
    const incident = createTestIncident([alert], 1);
    assert.deepEqual(simulate(loadedFrom(RIGHT), [], [incident]), []);
    const asking = RIGHT.replace('when: { priority: critical }', 'when: { incident: { severity: critical } }');
    const runs = simulate(loadedFrom(asking), [alert], [incident]);
    assert.deepEqual(
      runs.map(({ cause }) => cause),
      [incident.id],
    );
  });
});
