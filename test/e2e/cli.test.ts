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

/** Told in words, with nothing of our code. */
function assertTold({ code, stderr }: Ended, exitCode: number, message: RegExp): void {
  assert.equal(code, exitCode, stderr);
  assert.match(stderr, message);
  assert.doesNotMatch(stderr, /\n {4}at /, 'a stack is for bugs');
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

  test('every command explains itself with an example that names it', async () => {
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

  test('what is not understood ends with 2 and says where help is', async () => {
    for (const args of [['--nope'], ['nope'], ['alerts', '--nope'], ['replay'], ['completion'], ['incident', 'show']])
      assertTold(await home.run(args, bare), 2, /error: .*\n.*\(ringfence --help lists the commands\)|error: /);
    assertTold(await home.run(['alrets'], bare), 2, /Did you mean alerts\?/);
  });

  test('without a running ringfence, commands that need one say how to start it', async () => {
    for (const args of [
      ['status'],
      ['events'],
      ['alerts', '--json'],
      ['incident', 'show', 'inc-0'],
      ['record', join(home.dir, 'x.rec')],
    ])
      assertTold(await home.run(args), 1, /npm start|ringfence up/);
  });

  test('values that make no sense are named', async () => {
    assertTold(
      await home.run(['alerts', '--since', 'yesterday']),
      1,
      /--since yesterday: expected a number and a unit/,
    );
    assertTold(await home.run(['record', '--seconds', '-1', join(home.dir, 'x.rec')]), 1, /--seconds -1: expected/);
    assertTold(await home.run(['completion', 'tcsh'], bare), 1, /expected bash, zsh or fish/);
    assertTold(await home.run(['replay', join(home.dir, 'nowhere.rec')]), 1, /can't open the recording .*nowhere\.rec/);
  });

  test('a wrong setting is shown with its place, wherever it was made', async () => {
    const file = join(home.dir, 'wrong.yaml');
    writeFileSync(file, 'log:\n  level: info\nsensor:\n  pollInterval: 4 parsecs\n  ringSecurityByte: 8MiB\n');
    const config = ['--config', file];
    const wrong = await home.run(['config', 'show', ...config], bare);
    assertTold(wrong, 1, /wrong\.yaml:4:\d+/);
    assert.match(wrong.stderr, /wrong\.yaml:5:\d+.*ringSecurityByte/);
    assert.match(wrong.stderr, /did you mean .*ringSecurityBytes/);
    writeFileSync(file, 'log: [\n');
    assertTold(await home.run(['up', ...config], bare), 1, /wrong\.yaml:\d+:\d+/);
    assertTold(await home.run(['up', '--config', join(home.dir, 'none.yaml')], bare), 1, /none\.yaml/);
    assertTold(await home.run(['status', '--set', 'log.level=loud']), 1, /log\.level/);
    assertTold(await home.run(['status'], { env: { RINGFENCE_LOG_LEVEL: 'loud' } }), 1, /RINGFENCE_LOG_LEVEL/);
  });

  test('the settings in force are shown with where they came from, and no secret', async () => {
    const shown = await home.output(['config', 'show', '--set', 'metrics.token=hunter2'], {
      env: { RINGFENCE_LOG_LEVEL: 'debug' },
    });
    assert.match(shown, /debug.*RINGFENCE_LOG_LEVEL/);
    assert.doesNotMatch(shown, /hunter2/);
  });

  test('completion scripts are understood by their shells and complete', async () => {
    const script = await home.output(['completion', 'bash'], bare);
    const file = join(home.dir, 'completion.bash');
    writeFileSync(file, script);
    execFileSync('bash', ['-n', file]);
    const complete = 'source "$1"; COMP_WORDS=(ringfence incident sh); COMP_CWORD=2; _ringfence; echo "$COMPREPLY"';
    assert.equal(execFileSync('bash', ['-c', complete, 'bash', file], { encoding: 'utf8' }).trim(), 'show');
    assert.match(await home.output(['completion', 'zsh'], bare), /bashcompinit/);
    assert.match(await home.output(['completion', 'fish'], bare), /^complete -c ringfence .*-a up /m);
  });

  test('a reader that goes away ends a command quietly', () => {
    const command = `"$1" --conditions=@ringfence/source "$2" completion bash | head -1; exit \${PIPESTATUS[0]}`;
    const { status, stderr, stdout } = spawnSync('bash', ['-c', command, 'bash', process.execPath, MAIN], {
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.equal(stdout.trim().split('\n').length, 1);
  });

  test('the doctor tells as JSON what is there, what it costs and how to mend it', async () => {
    const { code, stdout, stderr } = await home.run(['doctor', '--json']);
    const { machine, hooks } = JSON.parse(stdout) as {
      machine: Record<string, unknown>[];
      hooks: Record<string, unknown>[];
    };
    assert.equal(stderr, '');
    assert.ok(machine.length >= 5);
    for (const check of machine)
      for (const key of ['name', 'ok', 'found', 'costs', 'fix']) assert.ok(key in check, key);
    const well = machine.every(({ ok }) => ok === true) && hooks.every(({ problem }) => problem === null);
    assert.equal(code, well ? 0 : 1);
  });
});

describe('the command line of somebody without privileges', {
  skip: process.getuid?.() === 0 ? false : 'taking privileges away needs root',
}, () => {
  // Somebody else's folder: nobody may enter the tests' own.
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

  test('up and demo say what is missing', async () => {
    assertTold(await home.run(['up', ...settings], asNobody), 1, /root|permi|privileg|CAP_/i);
    assertTold(
      await home.run(['demo', ...settings], asNobody),
      1,
      /making the demo's container needs root: sudo npm run demo/,
    );
    for (const command of ['integrity', 'inventory', 'posture'])
      assertTold(await home.run([command, ...settings], asNobody), 1, new RegExp(`sudo ringfence ${command}`));
  });

  test('the doctor says what to do', async () => {
    const { code, stdout } = await home.run(['doctor', ...settings], asNobody);
    assert.equal(code, 1);
    assert.match(stdout, /✗ privilege/);
    assert.match(stdout, /fix: .*sudo|fix: .*root/);
    assert.match(stdout, /not tried: fix the failed checks above first/);
  });

  test("a state directory of somebody else's is named", async () => {
    const foreign = join(dir, 'foreign');
    mkdirSync(foreign, { mode: 0o700 });
    const args = settings.map((text) => text.replace(`${dir}/state`, foreign));
    assertTold(await home.run(['up', ...args], asNobody), 1, /foreign/);
  });
});
