import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Ended, Installation, MAIN } from './lib/program.ts';

const home = new Installation();
after(() => home[Symbol.asyncDispose]());
const bare = { bare: true };
const NOBODY = 65_534;

/** Asserts that the command failed with this exit code and message, without a stack trace. */
function assertFails({ code, stderr }: Ended, exitCode: number, message: RegExp): void {
  assert.equal(code, exitCode, stderr);
  assert.match(stderr, message);
  assert.doesNotMatch(stderr, /\n {4}at /, 'the error must not have a stack trace');
}

describe('the command line', () => {
  const commands = [
    ['up'],
    ['demo'],
    ['doctor'],
    ['inventory'],
    ['posture'],
    ['status'],
    ['events'],
    ['alerts'],
    ['incidents'],
    ['incident', 'show'],
    ['record'],
    ['replay'],
    ['config', 'show'],
    ['completion'],
  ];

  test('the help of every command has an example of the command', async () => {
    const overview = await home.output(['--help'], bare);
    const helps = await Promise.all(commands.map((command) => home.output([...command, '--help'], bare)));
    for (const [index, command] of commands.entries()) {
      assert.match(overview, new RegExp(`^ {2}${command[0]}\\b`, 'm'));
      const help = helps[index] ?? '';
      assert.match(help, /Examples:\n/, command.join(' '));
      const name = command[0] === 'demo' ? 'demo' : `ringfence ${command.join(' ')}`;
      assert.ok(help.split('Examples:')[1]?.includes(name), help);
    }
  });

  test('an unknown command or option exits with 2 and names the help', async () => {
    for (const args of [['--nope'], ['nope'], ['alerts', '--nope'], ['replay'], ['completion'], ['incident', 'show']])
      assertFails(await home.run(args, bare), 2, /error: .*\n.*\(ringfence --help lists the commands\)|error: /);
    assertFails(await home.run(['alrets'], bare), 2, /Did you mean alerts\?/);
  });

  test('commands that need a running ringfence explain how to start it', async () => {
    for (const args of [
      ['status'],
      ['events'],
      ['alerts', '--json'],
      ['incident', 'show', 'inc-0'],
      ['record', join(home.dir, 'x.rec')],
    ])
      assertFails(await home.run(args), 1, /npm start|ringfence up/);
  });

  test('invalid values are reported by name', async () => {
    assertFails(
      await home.run(['alerts', '--since', 'yesterday']),
      1,
      /--since yesterday: expected a number and a unit/,
    );
    assertFails(await home.run(['record', '--seconds', '-1', join(home.dir, 'x.rec')]), 1, /--seconds -1: expected/);
    assertFails(await home.run(['completion', 'tcsh'], bare), 1, /expected bash, zsh or fish/);
    assertFails(
      await home.run(['replay', join(home.dir, 'nowhere.rec')]),
      1,
      /can't open the recording .*nowhere\.rec/,
    );
  });

  test('a wrong setting is reported with its file and line, option or variable', async () => {
    const file = join(home.dir, 'wrong.yaml');
    writeFileSync(file, 'log:\n  level: info\nsensor:\n  pollInterval: 4 parsecs\n  ringSecurityByte: 8MiB\n');
    const config = ['--config', file];
    const wrong = await home.run(['config', 'show', ...config], bare);
    assertFails(wrong, 1, /wrong\.yaml:4:\d+/);
    assert.match(wrong.stderr, /wrong\.yaml:5:\d+.*ringSecurityByte/);
    assert.match(wrong.stderr, /did you mean .*ringSecurityBytes/);
    writeFileSync(file, 'log: [\n');
    assertFails(await home.run(['up', ...config], bare), 1, /wrong\.yaml:\d+:\d+/);
    assertFails(await home.run(['up', '--config', join(home.dir, 'none.yaml')], bare), 1, /none\.yaml/);
    assertFails(await home.run(['status', '--set', 'log.level=loud']), 1, /log\.level/);
    assertFails(await home.run(['status'], { env: { RINGFENCE_LOG_LEVEL: 'loud' } }), 1, /RINGFENCE_LOG_LEVEL/);
  });

  test('the effective settings are shown with their sources and without secrets', async () => {
    const shown = await home.output(['config', 'show', '--set', 'metrics.token=hunter2'], {
      env: { RINGFENCE_LOG_LEVEL: 'debug' },
    });
    assert.match(shown, /debug.*RINGFENCE_LOG_LEVEL/);
    assert.doesNotMatch(shown, /hunter2/);
  });

  test('shells accept the completion scripts and complete commands', async () => {
    const script = await home.output(['completion', 'bash'], bare);
    const file = join(home.dir, 'completion.bash');
    writeFileSync(file, script);
    execFileSync('bash', ['-n', file]);
    const complete = 'source "$1"; COMP_WORDS=(ringfence incident sh); COMP_CWORD=2; _ringfence; echo "$COMPREPLY"';
    assert.equal(execFileSync('bash', ['-c', complete, 'bash', file], { encoding: 'utf8' }).trim(), 'show');
    assert.match(await home.output(['completion', 'zsh'], bare), /bashcompinit/);
    assert.match(await home.output(['completion', 'fish'], bare), /^complete -c ringfence .*-a up /m);
  });

  test('a command ends without an error when its reader closes the pipe', () => {
    const command = `"$1" --conditions=@ringfence/source "$2" completion bash | head -1; exit \${PIPESTATUS[0]}`;
    const { status, stderr, stdout } = spawnSync('bash', ['-c', command, 'bash', process.execPath, MAIN], {
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.equal(stdout.trim().split('\n').length, 1);
  });

  test('the doctor reports each check as JSON, with finding, consequence and fix', async () => {
    const { code, stdout, stderr } = await home.run(['doctor', '--json']);
    const { machine, hooks } = JSON.parse(stdout) as {
      machine: Record<string, unknown>[];
      hooks: Record<string, unknown>[];
    };
    assert.equal(stderr, '');
    assert.ok(machine.length >= 5);
    for (const check of machine)
      for (const key of ['name', 'ok', 'found', 'costs', 'fix']) assert.ok(key in check, key);
    const isHealthy = machine.every(({ ok }) => ok === true) && hooks.every(({ problem }) => problem === null);
    assert.equal(code, isHealthy ? 0 : 1);
  });
});

describe('the command line of an unprivileged user', {
  skip: process.getuid?.() === 0 ? false : 'dropping privileges needs root',
}, () => {
  // A separate directory, because the user nobody cannot enter the directory of the tests.
  const dir = mkdtempSync(join(tmpdir(), 'rf-nobody-'));
  chmodSync(dir, 0o777);
  after(() => rmSync(dir, { recursive: true }));
  const settings = [
    '--config',
    '/dev/null',
    '--set',
    `stateDir=${dir}/state`,
    '--set',
    `runDir=${dir}/run`,
    '--set',
    `sensor.pinPath=${home.pinPath}`,
    '--set',
    'metrics.enabled=false',
  ];
  const asNobody = { bare: true, uid: NOBODY };

  test('up and demo report the missing privileges', async () => {
    assertFails(await home.run(['up', ...settings], asNobody), 1, /root|permi|privileg|CAP_/i);
    assertFails(
      await home.run(['demo', ...settings], asNobody),
      1,
      /making the demo's container needs root: sudo npm run demo/,
    );
    for (const command of ['integrity', 'inventory', 'posture'])
      assertFails(await home.run([command, ...settings], asNobody), 1, new RegExp(`sudo ringfence ${command}`));
  });

  test('the doctor suggests fixes', async () => {
    const { code, stdout } = await home.run(['doctor', ...settings], asNobody);
    assert.equal(code, 1);
    assert.match(stdout, /✗ privilege/);
    assert.match(stdout, /fix: .*sudo|fix: .*root/);
    assert.match(stdout, /not tried: fix the failed checks above first/);
  });

  test('a state directory of another user is reported by name', async () => {
    const foreign = join(dir, 'foreign');
    mkdirSync(foreign, { mode: 0o700 });
    const args = settings.map((text) => text.replace(`${dir}/state`, foreign));
    assertFails(await home.run(['up', ...args], asNobody), 1, /foreign/);
  });
});
