import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { RuleWatch } from '../src/index.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'rf-rule-watch-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Saves as editors do: renames a new file over the old one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}~`, text);
  renameSync(`${path}~`, path);
}

function replaceLink(path: string, target: string): void {
  symlinkSync(target, `${path}~`);
  renameSync(`${path}~`, path);
}

/** Watches `path`, and resolves when a change was reported after which `file` has the text. */
function watching(t: TestContext, path: string, file: string = path): (text: string) => Promise<void> {
  const told = new EventEmitter();
  let seen = '';
  const watch = new RuleWatch(
    [path],
    () => {
      seen = readFileSync(file, 'utf8');
      told.emit('change');
    },
    (error) => told.emit('error', error),
  );
  t.after(() => watch[Symbol.dispose]());
  return async (text) => {
    while (seen !== text) await once(told, 'change');
  };
}

const options = { timeout: 60_000 };

test('a file is watched, however often and from whatever name it is replaced', options, async (t) => {
  const file = join(folder(t), 'a.yaml');
  writeFileSync(file, '0');
  const has = watching(t, file);
  for (const text of ['1', '2', '3']) {
    replace(file, text);
    await has(text);
  }
  writeFileSync(file, '4');
  await has('4');
});

test('each link to a file, and the file, may be replaced', options, async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, 'far'));
  writeFileSync(join(dir, 'far/a.yaml'), '0');
  symlinkSync('far', join(dir, 'near'));
  mkdirSync(join(dir, 'rules'));
  const link = join(dir, 'rules/link.yaml');
  symlinkSync('../near/a.yaml', link);
  const asFile = watching(t, link);
  const inFolder = watching(t, join(dir, 'rules'), link);
  const both = async (text: string): Promise<void> => void (await Promise.all([asFile(text), inFolder(text)]));
  replace(join(dir, 'far/a.yaml'), '1');
  await both('1');
  mkdirSync(join(dir, 'farther'));
  writeFileSync(join(dir, 'farther/a.yaml'), '2');
  replaceLink(join(dir, 'near'), 'farther');
  await both('2');
  replace(join(dir, 'farther/a.yaml'), '3');
  await both('3');
  writeFileSync(join(dir, 'b.yaml'), '4');
  replaceLink(link, '../b.yaml');
  await both('4');
});

test('a new version of a mounted ConfigMap is noticed', options, async (t) => {
  const dir = folder(t);
  const version = (number: number): void => {
    mkdirSync(join(dir, `..${number}`));
    writeFileSync(join(dir, `..${number}/rules.yaml`), String(number));
    replaceLink(join(dir, '..data'), `..${number}`);
  };
  version(0);
  const file = join(dir, 'rules.yaml');
  symlinkSync('..data/rules.yaml', file);
  const has = [watching(t, file), watching(t, dir, file)];
  for (const number of [1, 2]) {
    version(number);
    await Promise.all(has.map((one) => one(String(number))));
  }
});

test('a folder that replaces the watched one is noticed, and so are new files in it', options, async (t) => {
  const dir = folder(t);
  const rules = join(dir, 'rules');
  const file = join(rules, 'below/a.yaml');
  mkdirSync(join(rules, 'below'), { recursive: true });
  writeFileSync(file, '0');
  const has = watching(t, rules, file);
  mkdirSync(join(dir, 'new/below'), { recursive: true });
  writeFileSync(join(dir, 'new/below/a.yaml'), '1');
  renameSync(rules, join(dir, 'old'));
  renameSync(join(dir, 'new'), rules);
  await has('1');
  replace(file, '2');
  await has('2');
});

test('rules that can no longer be read are reported, and noticed when they are back', options, async (t) => {
  const dir = folder(t);
  const rules = join(dir, 'rules');
  mkdirSync(rules);
  const told = new EventEmitter();
  const watch = new RuleWatch(
    [rules],
    () => told.emit('change'),
    (error) => told.emit('failure', (error as NodeJS.ErrnoException).code),
  );
  t.after(() => watch[Symbol.dispose]());
  const failed = once(told, 'failure');
  replaceLink(join(dir, 'loop'), 'rules');
  rmSync(rules, { recursive: true });
  renameSync(join(dir, 'loop'), rules);
  assert.deepEqual(await failed, ['ELOOP']);
  const changed = once(told, 'change');
  rmSync(rules);
  mkdirSync(rules);
  await changed;
});
