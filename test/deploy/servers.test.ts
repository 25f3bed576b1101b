import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startRedis } from '@ringfence/dev-servers';
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

const skip = engineSkip || (redisProgram() === undefined ? 'there is no redis-server for an image' : false);

/**
 * Builds an image with the name of the official one from this machine's Redis, because tests cannot rely on a registry.
 */
function buildImage(engine: Engine, directory: string): void {
  const program = redisProgram()!;
  const libraries = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.match(/\/\S+/g) ?? [];
  for (const [from, to] of [
    [program, '/usr/local/bin/redis-server'],
    ...libraries.map((path) => [path, path]),
  ] as const) {
    // /lib is a link to /usr/lib in the base, and copying to /lib would replace it.
    const target = join(directory, 'root', to!.replace(/^\/lib/, '/usr/lib'));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(realpathSync(from!), target);
  }
  writeFileSync(join(directory, 'Dockerfile'), 'FROM base\nCOPY root /\n');
  engine.importBase('base');
  engine.output('build', '--network', 'none', '-t', IMAGE, directory);
}

describe('servers of tests when a container engine is available', { skip }, () => {
  let engine: Engine;
  let stack: AsyncDisposableStack;
  before(async () => {
    stack = new AsyncDisposableStack();
    engine = stack.use(await Engine.start());
    const directory = stack.adopt(mkdtempSync(join(tmpdir(), 'rf-image-')), (path) =>
      rmSync(path, { recursive: true }),
    );
    buildImage(engine, directory);
    process.env['DOCKER_HOST'] = `unix://${engine.dir}/socket`;
    stack.defer(() => void delete process.env['DOCKER_HOST']);
  });
  after(() => stack.disposeAsync());

  const running = () => engine.output('ps', '--format', '{{.Image}}');

  test('a Redis server runs in a container, restarts after a kill, and is removed at the end', async () => {
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

  test('the container ends when the process that started it is killed', async () => {
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
