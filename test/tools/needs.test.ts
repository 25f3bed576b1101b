import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ALL_NEEDS, type Need, needsOf } from '../../tools/bootstrap/needs.mjs';

const repository = dirname(dirname(import.meta.dirname));
const root = mkdtempSync(join(tmpdir(), 'ringfence-needs-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Programs that the bootstrap installs, and the need of each. */
const PROGRAMS: Readonly<Record<string, Need>> = {
  cc: 'compiler',
  gcc: 'compiler',
  clang: 'clang',
  'clang-16': 'clang',
  bpftool: 'clang',
  java: 'servers',
  mvn: 'servers',
  'redis-server': 'servers',
  make: 'guests',
  'qemu-system-x86_64': 'guests',
  docker: 'engine',
  dockerd: 'engine',
  podman: 'engine',
  runc: 'engine',
};
const STARTED = /\b(?:exec|spawn|runTool)\w*\(\s*'([\w-]+)'/g;
/** The bench checks for the programs of its workloads and skips a workload whose program is missing. */
const CHECKS_PROGRAMS = 'test/bench/';

const FILES: Readonly<Record<string, string>> = {
  'packages/dev-servers/package.json': JSON.stringify({
    name: '@ringfence/dev-servers',
    exports: {
      '.': { '@ringfence/source': './src/index.ts' },
      './in-process': './src/in-process.ts',
    },
  }),
  'packages/dev-servers/src/in-process.ts': `export const proxy = 1;`,
  'packages/dev-servers/src/index.ts': `export { startKafka } from './kafka.ts';`,
  'packages/dev-servers/src/kafka.ts': `export const startKafka = () => {};`,
  'packages/sensor/src/build/build-sensor.ts': `export const buildSensor = () => {};`,
  'cli/src/main.ts': `import { load } from './commands.ts'; load();`,
  'cli/src/commands.ts': `export const load = () => import('./fleet.ts');`,
  'cli/src/fleet.ts': `import '@ringfence/dev-servers';`,
  'test/made/table.test.ts': `import { proxy } from '@ringfence/dev-servers/in-process';\nimport type { Kafka } from '@ringfence/dev-servers';`,
  'test/made/types.test.ts': `import {\n  type Kafka,\n  type Redis,\n} from '@ringfence/dev-servers';`,
  'test/made/kafka.test.ts': `import { test } from 'node:test';\nimport {\n  startKafka,\n  type Kafka,\n} from '@ringfence/dev-servers';`,
  'test/made/lazy.test.ts': `test('', async () => { await import('../../packages/sensor/src/build/build-sensor.ts'); });`,
  'test/made/child.test.ts': `spawn(process.execPath, [join(import.meta.dirname, 'child.ts')]);`,
  'test/made/child.ts': `import { compile } from '../lib/compile.ts';`,
  'test/lib/compile.ts': `export const compile = () => execFileSync('cc', ['-o', 'program', 'program.c']);`,
  'test/made/command.test.ts': `spawn(process.execPath, [join(root, 'cli/src/main.ts'), 'rules', 'check']);`,
  'test/made/circle.test.ts': `import './circle.ts';`,
  'test/made/circle.ts': `import './circle-too.ts';`,
  'test/made/circle-too.ts': `export * from './circle.ts';\nexport * from '../../packages/sensor/src/build/build-sensor.ts';`,
};

before(() => {
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});

const needsOfFixture = (...names: string[]): Need[] =>
  [
    ...needsOf(
      root,
      names.map((name) => `test/made/${name}.test.ts`),
    ),
  ].sort();
const needsInRepository = (...paths: string[]): Need[] => [...needsOf(repository, paths)].sort();
const SENSOR: Need[] = ['clang', 'libbpf', 'sensor'];

describe('the needs of a test file', () => {
  it('include the needs of the modules that it imports, directly or not', () => {
    assert.deepEqual(needsOfFixture('table'), []);
    assert.deepEqual(needsOfFixture('kafka'), ['servers']);
    assert.deepEqual(needsOfFixture('lazy'), SENSOR);
    assert.deepEqual(needsOfFixture('circle'), SENSOR);
  });

  it('do not include the needs of imported types', () => assert.deepEqual(needsOfFixture('types'), []));

  it('include the needs of the programs that it starts by their path', () =>
    assert.deepEqual(needsOfFixture('child'), ['compiler']));

  it('do not include the needs of commands that it does not call', () =>
    assert.deepEqual(needsOfFixture('command'), []));

  it('are combined over files', () =>
    assert.deepEqual(needsOfFixture('table', 'kafka', 'child'), ['compiler', 'servers']));
});

describe('in this repository', () => {
  it('rule tables have no needs', () => {
    const tables = globSync('rules/*.test.yaml', { cwd: repository });
    assert.ok(tables.length > 0);
    assert.deepEqual(needsInRepository(...tables), []);
  });

  it('tests of the kernel, servers, guests and containers have the needs of these', () => {
    assert.deepEqual(needsInRepository('test/kernel/sensor/exec.test.ts'), ['clang', 'compiler', 'libbpf', 'sensor']);
    assert.deepEqual(needsInRepository('test/e2e/cli.test.ts'), SENSOR);
    assert.deepEqual(needsInRepository('packages/libbpf-ts/test/map.test.ts'), ['clang', 'libbpf']);
    assert.deepEqual(needsInRepository('packages/bus-kafka/test/topics.test.ts'), ['servers']);
    assert.deepEqual(needsInRepository('packages/dev-servers/test/redis.test.ts'), ['servers']);
    assert.deepEqual(needsInRepository('test/kernels/guest.test.ts'), ['guests']);
    assert.ok(needsInRepository('test/deploy/containers.test.ts').includes('engine'));
  });

  it('every source file has the needs of the programs that it starts', () => {
    const sources = globSync(['{packages,services,cli,rules,test,tools}/**/*.ts'], { cwd: repository }).filter(
      (path) => !/(?:^|\/)(?:node_modules|dist)\//.test(path) && !path.startsWith(CHECKS_PROGRAMS),
    );
    const missing = sources.flatMap((path) => {
      const started = [...readFileSync(join(repository, path), 'utf8').matchAll(STARTED)].map(([, name = '']) => name);
      const wanted = started.map((name) => PROGRAMS[name]).filter((need) => need !== undefined);
      if (wanted.length === 0) return [];
      const has = needsOf(repository, [path]);
      return wanted.filter((need) => !has.has(need)).map((need) => `${path} starts a program of "${need}"`);
    });
    assert.deepEqual(missing, [], 'tools/bootstrap/needs.mjs has no sign for these');
  });

  it('a full run has all needs', () => {
    const files = globSync(['{packages,services,cli,rules,test}/**/*.test.ts'], { cwd: repository });
    const outside = files.filter((path) => !/(?:^|\/)node_modules\//.test(path));
    assert.deepEqual(needsInRepository(...outside), ALL_NEEDS.toSorted());
  });
});
