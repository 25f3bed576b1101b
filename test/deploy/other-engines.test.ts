import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EventDocument } from '@ringfence/fields';
import { Installation } from '../e2e/lib/program.ts';
import { skip } from './lib/engine.ts';
import { execMarked } from './lib/events.ts';
import { Containerd, Podman } from './lib/other-engines.ts';

const IMAGE = 'registry.example/shop/web:2';

describe('containers of engines other than Docker', { skip }, () => {
  let dir: string;
  let home: Installation;
  /** Directory in place of `/` for the data of the engines. */
  let root: string;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'rf-engines-'));
    root = join(dir, 'root');
    mkdirSync(root);
    home = new Installation([`collector.hostRoot=${root}`]);
    await home.up();
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const containerOf = (exec: EventDocument): unknown[] =>
    ['id', 'name', 'image.name', 'runtime', 'entry'].map((name) => exec[`container.${name}`]);

  test('Podman: the first event and later executions have id, name and image', async () => {
    await using podman = new Podman(root, dir);
    podman.load(IMAGE);
    const [main, later] = [`rf-podman-${process.pid}`, `rf-podman-later-${process.pid}`];
    const id = podman.start('web-1', IMAGE, '/bin/sh', '-c', `: ${main}; sleep 600`);
    podman.output('exec', 'web-1', '/bin/sh', '-c', `sh -c ': ${later}'`);
    assert.deepEqual(containerOf(await execMarked(home, main)), [id, 'web-1', IMAGE, 'podman', 'entrypoint']);
    assert.deepEqual(containerOf(await execMarked(home, later)), [id, 'web-1', IMAGE, 'podman', 'exec']);
  });

  test('containerd: events have the id and the data of the specification', async () => {
    await using containerd = await Containerd.start(root, dir);
    const [main, later] = [`rf-containerd-${process.pid}`, `rf-containerd-later-${process.pid}`];
    const id = `web-${process.pid}`;
    containerd.run(id, '/bin/sh', '-c', `: ${main}; exec /bin/sleep 600`);
    containerd.output('task', 'exec', '--exec-id', 'later', id, '/bin/sh', '-c', `/bin/sh -c ': ${later}'`);
    const [first, second] = [await execMarked(home, main), await execMarked(home, later)];
    for (const exec of [first, second])
      assert.deepEqual([exec['container.id'], exec['container.runtime']], [id, 'containerd']);
    assert.deepEqual([first['container.entry'], second['container.entry']], ['entrypoint', 'exec']);
    assert.deepEqual(first['container.security_context.privileged'], false);
  });
});
