import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { sensorObject, skip as sensorSkip, skipInGuest } from '@ringfence/testkit/sensor';

const generator = join(import.meta.dirname, '../../../tools/generate-records.ts');
const skip = skipInGuest || sensorSkip;
const foreign = process.arch === 'arm64' ? 'x64' : 'arm64';

for (const folder of ['', foreign]) {
  test(`the committed record readers match the built sensor${folder && ` for ${folder}`}`, {
    skip,
  }, async () => {
    const object = join(dirname(await sensorObject()), folder, 'ringfence.bpf.o');
    execFileSync(process.execPath, [...process.execArgv, generator, object, '--check'], { encoding: 'utf8' });
  });
}

test('the object for each architecture uses its own registers only', { skip }, async () => {
  const object = await sensorObject();
  const types = (object: string): string =>
    execFileSync('bpftool', ['btf', 'dump', 'file', object], { encoding: 'utf8', maxBuffer: 64 << 20 });
  const [x64, arm64] = [object, join(dirname(object), foreign, 'ringfence.bpf.o')]
    .map(types)
    .sort((a) => (/'orig_ax'/.test(a) ? -1 : 1));
  assert.match(x64 ?? '', /'orig_ax'/);
  assert.doesNotMatch(x64 ?? '', /'syscallno'/);
  assert.match(arm64 ?? '', /'syscallno'/);
  assert.doesNotMatch(arm64 ?? '', /'orig_ax'/);
});
