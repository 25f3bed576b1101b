import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startRedis } from '@ringfence/testkit/servers';
import { until } from '../e2e/lib/wait.ts';
import { Engine, skip as engineSkip } from './lib/engine.ts';

const IMAGE = 'redis:8.2-alpine';
const CHILD = `
await using server = await startRedis();
console.log(server.url);
await new Promise((resolve) => setTimeout(resolve, 600_000));`;

function redisProgram(): string | undefined {
  return (
    spawnSync('sh', ['-c', 'command -v redis-server redis-check-rdb'], { encoding: 'utf8' }).stdout.split('\n')[0] ||
    undefined
  );
}

const skip = engineSkip || (redisProgram() === undefined ? 'no redis-server to make an image of' : false);

/** An image by the name of the official one, of this machine's Redis: image registries aren't reached from every machine that runs tests. */
function buildImage(engine: Engine, directory: string): void {
  const program = redisProgram()!;
  const libraries = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.match(/\/\S+/g) ?? [];
  for (const [from, to] of [
    [program, '/usr/local/bin/redis-server'],
    ...libraries.map((path) => [path, path]),
  ] as const) {
    // /lib is a link to /usr/lib: what is copied there keeps it.
    const target = join(directory, 'root', to!.replace(/^\/lib/, '/usr/lib'));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(realpathSync(from!), target);
  }
  writeFileSync(join(directory, 'Dockerfile'), 'FROM base\nCOPY root /\n');
  engine.importBase('base');
  engine.output('build', '--network', 'none', '-t', IMAGE, directory);
}

describe('servers of tests where a container engine answers', { skip }, () => {
  let engine: Engine;
  let undo: AsyncDisposableStack;
  before(async () => {
    undo = new AsyncDisposableStack();
    engine = undo.use(await Engine.start());
    const directory = undo.adopt(mkdtempSync(join(tmpdir(), 'rf-image-')), (path) => rmSync(path, { recursive: true }));
    buildImage(engine, directory);
    process.env['DOCKER_HOST'] = `unix://${engine.dir}/socket`;
    undo.defer(() => void delete process.env['DOCKER_HOST']);
  });
  after(() => undo.disposeAsync());

  const running = () => engine.output('ps', '--format', '{{.Image}}');

  test('a Redis runs in a container, comes back after a kill, and goes', async () => {
    {
      await using server = await startRedis({ durable: true });
      assert.equal(running(), IMAGE);
      await server.stop('SIGKILL');
      assert.equal(running(), '');
      await server.start();
      await server.flush();
      assert.equal(running(), IMAGE);
    }
    assert.equal(engine.output('ps', '-a', '-q'), '');
  });

  test('its container ends with a process that is killed', async () => {
    const args = ['--conditions=@ringfence/source', '--input-type=module', '--eval', CHILD];
    const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    assert.equal(running(), IMAGE);
    child.kill('SIGKILL');
    await until('the end of the container', () => running() === '');
    await using _ = await startRedis();
    assert.equal(engine.output('ps', '-a', '-q').split('\n').length, 1);
  });
});
