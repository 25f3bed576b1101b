import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Installation } from './lib/program.ts';
import { skip as skipProgram } from './lib/root.ts';
import { DNS_QUERIES, EXECUTIONS, type Execution, LINES, SCRIPTS } from './lib/sigma-acts.ts';
import { until } from './lib/wait.ts';

const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../shared/yardsticks');
const rules = join(yardsticks, 'sigma');
const skip =
  skipProgram || (existsSync(rules) ? false : `there are no Sigma rules in ${rules}: set RINGFENCE_YARDSTICKS`);

/** Directories of programs with the names that rules match. Some rules match /tmp, so they are below /tmp. */
class Programs implements Disposable {
  readonly #root = mkdtempSync('/tmp/rf-sigma-');
  readonly nothing: string = join(this.#root, 'bin');
  readonly shell: string = join(this.#root, 'sh');

  constructor(names: Iterable<string>, shells: Iterable<string>) {
    chmodSync(this.#root, 0o755);
    for (const folder of [this.nothing, this.shell]) mkdirSync(folder);
    for (const name of new Set(names)) copyFileSync('/bin/true', join(this.nothing, name));
    for (const name of new Set(shells)) copyFileSync('/bin/sh', join(this.shell, name));
    symlinkSync('kmod', join(this.nothing, 'insmod'));
  }

  execute(execution: Execution): void {
    const [name = '', ...args] = typeof execution === 'string' ? execution.split(' ') : execution;
    const { status, error } = spawnSync(join(this.nothing, name), args, { argv0: name });
    assert.equal(status, 0, `${name}: ${error}`);
  }

  run(script: string): void {
    const mounts = ['etc', 'var', 'root'].map((folder) => `mount -t tmpfs tmpfs /${folder}`);
    const setup = `mkdir /var/rf; mount --bind ${this.#root} /var/rf; mount -t tmpfs tmpfs /tmp; BIN=/var/rf/bin SH=/var/rf/sh; export BIN SH`;
    const text = [...mounts, setup, script].join('\n');
    const { status, stderr } = spawnSync('unshare', ['--mount', '--propagation', 'private', '/bin/sh', '-ec', text], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${script}: ${stderr}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Sends a DNS query for a name. No answer is necessary. */
async function query(name: string): Promise<void> {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const head = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const question = Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
  const socket = createSocket('udp4').on('error', () => {});
  await new Promise<void>((resolve) => socket.send(question, 53, '127.0.0.1', () => resolve()));
  socket.close();
}

test("each of SigmaHQ's rules for Linux fires on its action on the running kernel", { skip }, async () => {
  const needed = Object.values(SCRIPTS).flatMap(({ needs = [] }) => needs);
  const names = Object.values(EXECUTIONS).map((execution) =>
    typeof execution === 'string' ? execution.split(' ')[0]! : execution[0]!,
  );
  using programs = new Programs([...names, ...needed], needed);
  await using home = new Installation();
  const log = join(home.dir, 'syslog');
  writeFileSync(log, '');
  home.settings.push(`detector.rules=${rules}`, 'detector.profile=hunt', `collector.logs.files=${log}`);
  await using up = await home.up();
  for (const execution of Object.values(EXECUTIONS)) programs.execute(execution);
  for (const { script } of Object.values(SCRIPTS)) programs.run(script);
  for (const line of Object.values(LINES)) appendFileSync(log, `Nov 25 15:55:06 web-1 ${line}\n`);
  for (const name of Object.values(DNS_QUERIES)) await query(name);
  const titles = [EXECUTIONS, SCRIPTS, LINES, DNS_QUERIES].flatMap((actions) => Object.keys(actions));
  const missing = (): string[] => titles.filter((title) => !up.stdout.includes(title));
  await until('alerts of every rule', () => missing().length === 0, 60_000).catch(() =>
    assert.deepEqual(missing(), []),
  );
  const alerts = (await home.output(['alerts', '--json', '--limit', '10000'])).split('\n').filter(Boolean);
  const fired = new Set(alerts.map((text) => (JSON.parse(text) as { rule: string }).rule));
  assert.deepEqual(
    titles.filter((title) => !fired.has(title)),
    [],
  );
});
