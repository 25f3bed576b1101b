import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { measureAttribution } from './lib/attributed.ts';
import { Engine, skip } from './lib/engine.ts';
import { Containerd, Podman } from './lib/other-engines.ts';
import { Runc } from './lib/runc.ts';
import { makeSleeper } from './lib/sleeper.ts';

/**
 * Number of containers; engines start a tenth, because each start takes a second. docs/PERFORMANCE.md has the results
 * of `RINGFENCE_CONTAINERS=1000 npm test -- short-lived`.
 */
const COUNT = Number(process.env['RINGFENCE_CONTAINERS'] ?? 50);
const ENGINE_COUNT = Math.ceil(COUNT / 10);
const LIFETIME_MS = '50';

interface Load {
  readonly program: string;
  readonly count?: number;
  readonly concurrency?: number;
}

async function assertAttributed(
  t: TestContext,
  { program, count = ENGINE_COUNT, concurrency = 2 }: Load,
  run: (name: string) => Promise<void>,
  options: Parameters<typeof measureAttribution>[2] = {},
): Promise<void> {
  const started = performance.now();
  const { attributed, missed, unknown } = await measureAttribution({ program, count, concurrency }, run, options);
  const rate = ((1000 * count) / (performance.now() - started)).toFixed(1);
  t.diagnostic(
    `${attributed} of ${count} attributed, ${missed} executions without a container; ${rate} starts per second`,
  );
  assert.deepEqual([attributed, missed, unknown], [count, 0, 0]);
}

describe('the context of each container with a lifetime of 50 ms arrives before its execution', { skip }, () => {
  let dir: string;
  /** Directory in place of `/` for the data of the engines. */
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

  test('runc without an engine', async (t) => {
    await using runc = new Runc();
    runc.configure((spec) => ({ ...spec, annotations: { 'org.opencontainers.image.ref.name': 'test/sleeper:1' } }));
    runc.setLifetime(Number(LIFETIME_MS));
    await assertAttributed(t, { program: runc.sleeper, count: COUNT, concurrency: 4 }, (name) => runc.run(name));
  });

  test('Podman', async (t) => {
    await using podman = new Podman(root, dir);
    const run = () => podman.runOnce(rootfs, program, LIFETIME_MS);
    await assertAttributed(t, { program }, run, { hostRoot: root });
  });

  test('containerd', async (t) => {
    await using containerd = await Containerd.start(root, dir);
    const run = (name: string) => containerd.runOnce(`rf-short-${process.pid}-${name}`, rootfs, program, LIFETIME_MS);
    await assertAttributed(t, { program }, run, { hostRoot: root });
  });

  test('Docker', async (t) => {
    await using docker = await Engine.start();
    const archive = join(dir, 'sleeper.tar');
    execFileSync('tar', ['-C', rootfs, '-cf', archive, '.']);
    docker.output('import', archive, 'test/sleeper');
    const run = () => docker.runOnce('test/sleeper', program, LIFETIME_MS);
    await assertAttributed(t, { program }, run, { dockerRoots: [docker.dataRoot] });
  });
});
