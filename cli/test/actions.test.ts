/** Every command that changes something, or hands out evidence, has a record. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { routesOf } from '@ringfence/runtime/routes';
import { Command } from 'commander';
import { ACTIONS, type LocalAction } from '../src/actions.ts';
import { COMMANDS, commandPath } from '../src/commands.ts';
import { ringfence } from './support.ts';

async function leaves(): Promise<Command[]> {
  const program = new Command('ringfence');
  for (const { load } of COMMANDS) (await load())(program);
  const leavesOf = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
  return leavesOf(program);
}

test('the table of actions has every command, and no other', async () => {
  assert.deepEqual(Object.keys(ACTIONS).sort(), (await leaves()).map(commandPath).sort());
});

test('a command has the option --reason if it is an action', async () => {
  for (const command of await leaves()) {
    const recording = ACTIONS[commandPath(command)];
    const takesReason = command.options.some(({ long }) => long === '--reason');
    assert.equal(takesReason, recording !== false && recording !== 'start', commandPath(command));
  }
});

test('a command without a record asks only routes that are no actions, and writes nothing but files that it is given', async () => {
  const source = join(import.meta.dirname, '../src');
  const routes = routesOf({ deployment: {} } as unknown as Parameters<typeof routesOf>[0]);
  const actions = Object.entries(routes).flatMap(([name, { operator }]) => (operator === false ? [] : [name]));
  for (const { usages, load } of COMMANDS) {
    const folder = /import\('(\.\/[\w-]+)\//.exec(load.toString())?.[1] ?? '';
    const names = usages.map((usage) => usage.split(' ')[0] ?? '');
    const recordings = Object.entries(ACTIONS).filter(([path]) => names.includes(path.split(' ')[0] ?? ''));
    if (recordings.some(([, recording]) => recording !== false)) continue;
    const text = readFileSync(join(source, folder, 'command.ts'), 'utf8');
    for (const route of actions)
      assert.doesNotMatch(text, new RegExp(`[\`']/${route}[/?\`']`), `${folder} asks ${route}`);
    assert.doesNotMatch(text, /\.produce\(|applyPlan|createAuthority|actionClientOf/, folder);
  }
});

/** Arguments with which a command begins its action, and then may fail: its record comes before. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  demo: ['--fleet', 'MISSING'],
  'fim baseline': ['/dev/null', '--file', 'FILE'],
  integrity: ['--save', 'FILE'],
  'topics apply': ['--set', 'bus.driver=embedded'],
  'sinks test': ['soc', '--file', 'MISSING'],
  'kibana install': ['--url', 'http://127.0.0.1:9'],
  'respond panic': [],
  'authority init': [],
  'authority issue': ['--subject', 'kafka-1', '--out', 'FILE'],
  enrol: ['--token-file', 'MISSING', '--registrar', 'https://127.0.0.1:9', '--role', 'agent', '--subject', 'me'],
};

test('each command that needs no running Ringfence writes its record to the operator log first', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-actions-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const local = Object.entries(ACTIONS).filter((entry): entry is [string, LocalAction] => typeof entry[1] === 'object');
  assert.deepEqual(Object.keys(ARGUMENTS).sort(), local.map(([path]) => path).sort());
  for (const [path, { action }] of local) {
    const stateDir = join(directory, path.replaceAll(' ', '-'));
    mkdirSync(stateDir, { mode: 0o700 });
    const args = (ARGUMENTS[path] ?? []).map((word) => (/^[A-Z]+$/.test(word) ? join(stateDir, word) : word));
    const env = { RINGFENCE_STATE_DIR: stateDir, RINGFENCE_RUN_DIR: join(stateDir, 'run') };
    await ringfence([...path.split(' '), ...args, '--reason', 'a test'], env);
    const [line = ''] = readFileSync(join(stateDir, 'operator-log.jsonl'), 'utf8').split('\n');
    const entry = JSON.parse(line) as { action: string; reason: string; command: string };
    assert.deepEqual([entry.action, entry.reason], [action, 'a test']);
    assert.ok(entry.command.startsWith(`ringfence ${path}`), entry.command);
  }
});

test('a command whose record can not be written does nothing, and one that only reads writes none', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-actions-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const env = { RINGFENCE_STATE_DIR: file };
  const { code, stderr } = await ringfence(['authority', 'init', '--set', `registrar.path=${directory}/ca`], env);
  assert.equal(code, 1);
  assert.match(stderr, /state directory/);
  assert.equal((await ringfence(['rules', 'check'], env)).code, 0);
});
