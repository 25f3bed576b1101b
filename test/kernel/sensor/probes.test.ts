import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findProbedFiles } from '@ringfence/sensor';
import { setProbes } from '@ringfence/sensor/parts';
import {
  BULK,
  recordOf,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';

const every = { pam: true, shell: true, tls: true, files: [] };
const places = findProbedFiles(every, '/');
const has = (program: string): boolean =>
  places.some(({ probes }) => probes.some((probe) => probe.program === program));
const without = (program: string, subject: string): string | false =>
  has(program) ? false : `this host has no ${subject}`;

describe('probes in programs and libraries of the running system', { skip, timeout: 120_000 }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  before(async () => {
    scratch = new Scratch();
    sensor = await TestSensor.start();
    for (const place of places) setProbes(sensor.object, place);
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const texts = ({ texts: all }: SensorRecord): { [name: string]: string } =>
    Object.fromEntries(Object.entries(all).map(([name, { bytes }]) => [name, bytes.toString()]));

  describe('libpam', { skip: without('pam_authenticate_exit', 'libpam.so.0') }, () => {
    let pam: string;
    let directory: string;
    before(() => {
      pam = scratch.compile('pam');
      directory = join(scratch.path, 'pam.d');
      mkdirSync(directory);
      writeFileSync(join(directory, 'rf-yes'), 'auth required pam_permit.so\n');
      writeFileSync(join(directory, 'rf-no'), 'auth required pam_deny.so\n');
    });

    test('a successful authentication is reported with the values that the service passed to PAM', async () => {
      const event = recordOf(await sensor.run(pam, ['rf-yes', 'alice', directory]), 'rf_authentication');
      assert.deepEqual(event.fields, { result: 0, source_caller: 1 });
      assert.deepEqual(texts(event), { service: 'rf-yes', user: 'alice', remote_host: '198.51.100.7', tty: 'ssh' });
      assert.equal(event.lane, SECURITY);
    });

    test('a failed authentication is reported', async () => {
      const event = recordOf(await sensor.run(pam, ['rf-no', 'mallory', directory]), 'rf_authentication');
      assert.deepEqual(event.fields, { result: 7, source_caller: 1 });
      assert.deepEqual([texts(event)['service'], texts(event)['user']], ['rf-no', 'mallory']);
    });

    test('a child that authenticates for its parent is reported with the values of the parent', async () => {
      const records = await sensor.run(pam, ['rf-no', 'bob', directory, 'fork']);
      const event = recordOf(records, 'rf_authentication');
      assert.equal(texts(event)['user'], 'bob');
      assert.notEqual(event.header.tgid, records[0]?.header.tgid);
    });

    test('pam_start without a configuration directory is reported with its user', async () => {
      const child = spawn(pam, ['rf-none-such', 'rf-nobody', ''], { stdio: 'ignore' });
      const [code] = await once(child, 'exit');
      const event = recordOf(sensor.familyOf(child), 'rf_authentication');
      assert.notEqual(event.fields['result'], 0);
      assert.equal(event.fields['result'], code);
      assert.deepEqual(texts(event), { service: 'rf-none-such', user: 'rf-nobody', remote_host: '', tty: '' });
    });

    test('a user name that is too long is cut', async () => {
      const event = recordOf(await sensor.run(pam, ['rf-yes', 'u'.repeat(300), directory]), 'rf_authentication');
      assert.equal(texts(event)['user'], 'u'.repeat(127));
    });
  });

  const noBash =
    without('shell_line_exit', 'bash with readline') ||
    (existsSync('/usr/bin/script') ? false : 'script(1) is not installed');
  describe('bash', { skip: noBash }, () => {
    /** Types lines into a shell in a terminal and returns the records. */
    async function type(lines: readonly string[], command = 'bash --norc -i'): Promise<SensorRecord[]> {
      const env = { ...process.env, HISTFILE: '', HOME: scratch.path, TERM: 'dumb' };
      const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'ignore', 'ignore'], env });
      for (const line of lines) child.stdin.write(`${line}\n`);
      await once(child, 'exit');
      return recordsOf(sensor.familyOf(child), 'rf_shell_line');
    }

    test('each typed line is reported, builtins included', async () => {
      const events = await type(['echo rf-one', '', 'cd /', 'exit']);
      assert.deepEqual(
        events.map((event) => texts(event)['line']),
        ['echo rf-one', '', 'cd /', 'exit'],
      );
      for (const { fields, lane } of events) {
        assert.equal(fields['source_caller'], 1);
        assert.ok((fields['tty'] as number) > 0);
        assert.equal(lane, SECURITY);
      }
    });

    test('a line that is too long is cut, and its length shows it', async () => {
      const [first] = await type([`: ${'x'.repeat(5000)}`, 'exit']);
      assert.equal(first?.texts['line']?.bytes.toString(), `: ${'x'.repeat(4093)}`);
      assert.equal(first?.texts['line']?.length, 4096);
    });

    test('commands of a script are not reported', async () => {
      const records = await sensor.run('bash', ['-c', 'echo rf-two; true']);
      assert.deepEqual(recordsOf(records, 'rf_shell_line'), []);
    });
  });

  const noZsh = places.some(({ path }) => path.endsWith('zle.so')) ? noBash : 'this host has no zsh';
  test('a line typed into zsh is reported', { skip: noZsh }, async () => {
    const env = { ...process.env, HISTFILE: '', HOME: scratch.path, ZDOTDIR: scratch.path, TERM: 'xterm' };
    const child = spawn('script', ['-qec', 'zsh -f -i', '/dev/null'], { stdio: ['pipe', 'ignore', 'ignore'], env });
    child.stdin.write('echo rf-three\nexit\n');
    await once(child, 'exit');
    const lines = recordsOf(sensor.familyOf(child), 'rf_shell_line').map((event) => texts(event)['line']);
    assert.deepEqual(lines, ['echo rf-three', 'exit']);
  });

  const noTls =
    without('tls_exit', 'libssl') || (existsSync('/usr/include/openssl/ssl.h') ? false : 'libssl-dev is not installed');
  test('data written to and read from libssl is reported unencrypted, up to a limit', {
    skip: noTls,
  }, async () => {
    const program = scratch.compile('tls');
    const [key, certificate] = ['key.pem', 'cert.pem'].map((name) => join(scratch.path, name));
    assert.ok(key && certificate);
    const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 1 -keyout ${key} -out ${certificate}`;
    execFileSync('openssl', request.split(' '), { stdio: 'ignore' });
    const records = await sensor.run(program, [certificate, key]);
    assert.equal(recordOf(records, 'rf_exit').fields['code'], 0);
    const events = recordsOf(records, 'rf_tls_data');
    const shown = events.map(({ fields, texts: { payload } }) => [
      fields['egress'],
      payload?.bytes.toString(),
      payload?.length,
    ]);
    const big = 'b'.repeat(1024);
    assert.deepEqual(shown, [
      [1, 'GET / secret\n', 13],
      [0, 'GET / secret\n', 13],
      [1, big, 3000],
      [0, big, 3000],
    ]);
    assert.ok(events.every(({ lane }) => lane === BULK));
  });
});
