import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compileProgram } from '@ringfence/testkit/sensor';
import { Installation, type Running } from './lib/program.ts';
import { skip } from './lib/root.ts';

const RULES = `- rule: Order of an administrator
  desc: The shop received a request for a restricted address.
  condition: probe.args[uri] = /admin/late or (probe.name = shop-handle and probe.args[uri] startswith /admin and probe.numbers[size] > 1000)
  output: "%probe.name: %process.name asked for %probe.args[uri] with %probe.args[size]"
  priority: notice
  tags: [execution]
`;

describe('probes of a running ringfence', { skip }, () => {
  let home: Installation;
  let up: Running;
  let program: string;
  before(async () => {
    home = new Installation();
    program = join(home.dir, 'probed');
    compileProgram('probed', program);
    const rules = join(home.dir, 'rules');
    mkdirSync(rules);
    writeFileSync(join(rules, 'shop.yaml'), RULES);
    const file = join(home.dir, 'shop.yaml');
    writeFileSync(
      file,
      `- name: shop-handle
  uprobe: { path: ${program}, symbol: shop_handle }
  arguments: [{ name: uri, from: arg1, type: string }, { name: size, from: arg2, type: s64 }]
- name: shop-gone
  uprobe: { path: ${home.dir}/gone, symbol: shop_handle }
  arguments: [{ name: uri, from: arg1, type: string }]
`,
    );
    home.settings.push(`detector.rules=${rules}`, `collector.probes.custom=${file}`);
    up = await home.up();
  });
  after(() => home?.[Symbol.asyncDispose]());

  test('a rule fires on the matching arguments of a probe and not on similar arguments', async () => {
    for (const [uri, size] of [
      ['/', '2000'],
      ['/admin', '1000'],
      ['/admin/users', '1001'],
    ] as const)
      spawnSync(program, [uri, size]);
    await up.says('/admin/users');
    const lines = (await home.output(['alerts', '--json'])).split('\n').filter(Boolean);
    const outputs = lines.map((line) => (JSON.parse(line) as { output: string }).output);
    assert.deepEqual(outputs, ['shop-handle: probed asked for /admin/users with 1001']);
  });

  test('its events can be filtered by their fields and have their arguments', async () => {
    const where = ['events', '--json', '--where', 'probe.args[uri] = / and probe.type = uprobe'];
    const [line = '', ...more] = (await home.output(where)).split('\n').filter(Boolean);
    assert.deepEqual(more, []);
    const event = JSON.parse(line) as Readonly<Record<string, unknown>>;
    assert.deepEqual([event['probe.name'], event['probe.arguments']], ['shop-handle', ['uri=/', 'size=2000']]);
  });

  test('the list shows attached probes, and missing probes with the reason', async () => {
    const { code, stdout } = await home.run(['probes', 'list']);
    assert.equal(code, 1);
    assert.match(stdout, /✓ shop-handle {2}uprobe .*probed shop_handle\n\s+3 hits/);
    assert.match(stdout, /✗ shop-gone .*\n\s+.*gone does not exist\n\s+defined in .*shop\.yaml:4:3\n\s+0 hits/);
  });

  test('a probe whose file is missing is logged, and is attached when the file appears', async () => {
    await up.says(`gone does not exist","msg":"a probe can't be set`);
    compileProgram('probed', join(home.dir, 'gone'));
    await up.says('gone shop_handle","places":1,"msg":"a probe is set"');
    spawnSync(join(home.dir, 'gone'), ['/admin/late', '1']);
    await up.says('shop-gone: gone asked for /admin/late');
  });

  test('an error in a file is reported with line and column', async () => {
    const wrong = join(home.dir, 'wrong.yaml');
    writeFileSync(wrong, '- name: x\n  uprobe: { path: /bin/true, symbol: main, retrn: true }\n');
    const { code, stderr } = await home.run(['probes', 'check', wrong]);
    assert.equal(code, 1);
    assert.match(stderr, /wrong\.yaml:2:44: uprobe: "retrn" is not known here/);
  });

  test('the fields of a tracepoint are listed with their types', async () => {
    assert.match(
      await home.output(['probes', 'fields', 'syscalls/sys_enter_openat']),
      /^dfd +s32 +int\nfilename +string +const char \*$/m,
    );
  });
});
