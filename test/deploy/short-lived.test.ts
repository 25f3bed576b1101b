import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { attributed } from './lib/attributed.ts';
import { Engine, skip } from './lib/engine.ts';
import { Containerd, Podman } from './lib/other-engines.ts';
import { Runc } from './lib/runc.ts';
import { makeSleeper } from './lib/sleeper.ts';

/** In the suite; `RINGFENCE_CONTAINERS=1000 npm test -- short-lived` is the long form (docs/PERFORMANCE.md has its figures): of engines, which take a second to start one, a tenth. */
const COUNT = Number(process.env['RINGFENCE_CONTAINERS'] ?? 50);
const OF_ENGINES = Math.ceil(COUNT / 10);
const LIFE = '50';

interface Load {
  readonly program: string;
  readonly count?: number;
  readonly sideBySide?: number;
}

async function assertAttributed(
  t: TestContext,
  { program, count = OF_ENGINES, sideBySide = 2 }: Load,
  run: (name: string) => Promise<void>,
  options: Parameters<typeof attributed>[2] = {},
): Promise<void> {
  const started = performance.now();
  const { told, missed } = await attributed({ program, count, sideBySide }, run, options);
  const rate = ((1000 * count) / (performance.now() - started)).toFixed(1);
  t.diagnostic(
    `${told} of ${count} attributed, ${missed} executions without their container; ${rate} started a second`,
  );
  assert.deepEqual([told, missed], [count, 0]);
}

describe('containers that live for 50 ms are each known before what they execute is judged', { skip }, () => {
  let dir: string;
  /** where engines keep what they keep below / */
  let root: string;
  let rootfs: string;
  let program: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'rf-short-'));
    root = join(dir, 'root');
    mkdirSync(root);
    rootfs = join(dir, 'sleeper');
    program = makeSleeper(rootfs);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  test('runc alone', async (t) => {
    await using runc = new Runc();
    runc.describe((spec) => ({ ...spec, annotations: { 'org.opencontainers.image.ref.name': 'test/sleeper:1' } }));
    runc.live(Number(LIFE));
    await assertAttributed(t, { program: runc.sleeper, count: COUNT, sideBySide: 4 }, (name) => runc.run(name));
  });

  test('Podman', async (t) => {
    await using podman = new Podman(root, dir);
    const run = () => podman.runOnce(rootfs, program, LIFE);
    await assertAttributed(t, { program }, run, { hostRoot: root });
  });

  test('containerd', async (t) => {
    await using containerd = await Containerd.start(root, dir);
    const run = (name: string) => containerd.runOnce(`rf-short-${process.pid}-${name}`, rootfs, program, LIFE);
    await assertAttributed(t, { program }, run, { hostRoot: root });
  });

  test('Docker', async (t) => {
    await using docker = await Engine.start();
    const archive = join(dir, 'sleeper.tar');
    execFileSync('tar', ['-C', rootfs, '-cf', archive, '.']);
    docker.output('import', archive, 'test/sleeper');
    const run = () => docker.runOnce('test/sleeper', program, LIFE);
    await assertAttributed(t, { program }, run, { dockerRoots: [docker.dataRoot] });
  });
});
