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
import { type Act, EXECUTIONS, LINES, QUESTIONS, SCRIPTS } from './lib/sigma-acts.ts';
import { until } from './lib/wait.ts';

const yardsticks = process.env['RINGFENCE_YARDSTICKS'] ?? join(import.meta.dirname, '../../../shared/yardsticks');
const rules = join(yardsticks, 'sigma');
const skip =
  skipProgram || (existsSync(rules) ? false : `there are no Sigma rules in ${rules}: set RINGFENCE_YARDSTICKS`);

/** Folders of programs under the names that rules ask for; below /tmp, as some of them ask for that too. */
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

  execute(act: Act): void {
    const [name = '', ...args] = typeof act === 'string' ? act.split(' ') : act;
    const { status, error } = spawnSync(join(this.nothing, name), args, { argv0: name });
    assert.equal(status, 0, `${name}: ${error}`);
  }

  run(script: string): void {
    const own = ['etc', 'var', 'root'].map((folder) => `mount -t tmpfs tmpfs /${folder}`);
    const kept = `mkdir /var/rf; mount --bind ${this.#root} /var/rf; mount -t tmpfs tmpfs /tmp; BIN=/var/rf/bin SH=/var/rf/sh; export BIN SH`;
    const text = [...own, kept, script].join('\n');
    const { status, stderr } = spawnSync('unshare', ['--mount', '--propagation', 'private', '/bin/sh', '-ec', text], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${script}: ${stderr}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Asks for the address of a name; nobody has to answer. */
async function ask(name: string): Promise<void> {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const head = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const question = Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
  const socket = createSocket('udp4').on('error', () => {});
  await new Promise<void>((resolve) => socket.send(question, 53, '127.0.0.1', () => resolve()));
  socket.close();
}

test("SigmaHQ's rules for Linux fire on the running kernel, each on what it is for", { skip }, async () => {
  const needed = Object.values(SCRIPTS).flatMap(({ needs = [] }) => needs);
  const names = Object.values(EXECUTIONS).map((act) => (typeof act === 'string' ? act.split(' ')[0]! : act[0]!));
  using programs = new Programs([...names, ...needed], needed);
  await using home = new Installation();
  const log = join(home.dir, 'syslog');
  writeFileSync(log, '');
  home.settings.push(`detector.rules=${rules}`, 'detector.profile=hunt', `collector.logs.files=${log}`);
  await using up = await home.up();
  for (const act of Object.values(EXECUTIONS)) programs.execute(act);
  for (const { script } of Object.values(SCRIPTS)) programs.run(script);
  for (const line of Object.values(LINES)) appendFileSync(log, `Nov 25 15:55:06 web-1 ${line}\n`);
  for (const name of Object.values(QUESTIONS)) await ask(name);
  const wanted = [EXECUTIONS, SCRIPTS, LINES, QUESTIONS].flatMap((acts) => Object.keys(acts));
  const missing = (): string[] => wanted.filter((title) => !up.stdout.includes(title));
  await until('alerts of every rule', () => missing().length === 0, 60_000).catch(() =>
    assert.deepEqual(missing(), []),
  );
  const alerts = (await home.output(['alerts', '--json', '--limit', '10000'])).split('\n').filter(Boolean);
  const fired = new Set(alerts.map((text) => (JSON.parse(text) as { rule: string }).rule));
  assert.deepEqual(
    wanted.filter((title) => !fired.has(title)),
    [],
  );
});
