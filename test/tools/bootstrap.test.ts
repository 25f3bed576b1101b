import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it, type TestContext } from 'node:test';
import { readable } from '@ringfence/testkit';

const repository = dirname(dirname(import.meta.dirname));
const root = mkdtempSync(join(tmpdir(), 'ringfence-bootstrap-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** The package with the Node that runs the program. */
const NODE = `node_modules/node-linux-${process.arch}`;
const LOCK = {
  lockfileVersion: 3,
  packages: {
    '': {},
    [NODE]: { version: '24.0.0', integrity: 'sha512-AAAA', optional: true },
    'node_modules/node-linux-other': { version: '24.0.0', optional: true },
    'node_modules/lint': { version: '1.0.0', dev: true },
  },
};

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function setInstalled(packages: object): void {
  write('node_modules/.package-lock.json', JSON.stringify({ packages }));
}

/** A minimal checkout: the real bootstrap, a program that prints how it was started, and an installed Node. */
before(() => {
  cpSync(join(repository, 'tools/bootstrap'), join(root, 'tools/bootstrap'), { recursive: true });
  cpSync(join(repository, 'tools/bootstrap.mjs'), join(root, 'tools/bootstrap.mjs'));
  write(
    'package.json',
    JSON.stringify({ name: 'small', version: '1.0.0', type: 'module', dependencies: { absent: '1.0.0' } }),
  );
  write('package-lock.json', JSON.stringify(LOCK));
  write(
    'cli/src/main.ts',
    `import { text } from 'node:stream/consumers';
     const [command = '']: string[] = process.argv.slice(2);
     if (command === '--help') console.log('the help of the command');
     if (command === 'cat') console.log('read ' + (await text(process.stdin)));
     if (command === 'where') console.log(process.cwd());
     if (command === 'die') process.kill(process.pid, 'SIGKILL');
     if (command === 'wait') { process.on('SIGTERM', () => { console.log('stopping'); process.exit(7); }); console.log('waiting'); setInterval(() => {}, 1000); }
     if (command === 'exit') process.exitCode = 9;`,
  );
  write('tools/other.ts', `console.log('other', ...process.argv.slice(2), process.execArgv.join(' '));`);
  mkdirSync(join(root, NODE, 'bin'), { recursive: true });
  symlinkSync(readable(process.execPath), join(root, NODE, 'bin/node'));
  setInstalled(LOCK.packages);
});

const environment = (overrides: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const { NODE_OPTIONS: _options, npm_execpath: _npm, INIT_CWD: _cwd, NODE_TEST_CONTEXT: _test, ...rest } = process.env;
  return { ...rest, ...overrides };
};

function bootstrap(args: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}) {
  const { input = '', env = {} } = options;
  return spawnSync(process.execPath, [join(root, 'tools/bootstrap.mjs'), ...args], {
    cwd: root,
    encoding: 'utf8',
    input,
    env: environment(env),
  });
}

describe('in a complete installation, the bootstrap', () => {
  it('prints nothing and runs the command with its arguments', () => {
    const { stdout, stderr, status } = bootstrap(['--help']);
    assert.deepEqual({ stdout, stderr, status }, { stdout: 'the help of the command\n', stderr: '', status: 0 });
  });

  it('runs another program of the repository, from source', () => {
    const { stdout, status } = bootstrap(['--run', 'tools/other.ts', 'a', '--b']);
    assert.equal(
      stdout,
      'other a --b --conditions=@ringfence/source --disable-warning=ExperimentalWarning --max-semi-space-size=4 --v8-pool-size=1 --use-largepages=silent --no-short-builtin-calls --disable-sigusr1\n',
    );
    assert.equal(status, 0);
  });

  it('passes stdin to the command and returns its exit code', () => {
    assert.equal(bootstrap(['cat'], { input: 'words' }).stdout, 'read words\n');
    assert.equal(bootstrap(['exit']).status, 9);
  });

  it('ends by the signal that ended the program', () => {
    assert.equal(bootstrap(['die']).signal, 'SIGKILL');
  });

  it('forwards a signal and waits until the program stops', async () => {
    const child = spawn(process.execPath, [join(root, 'tools/bootstrap.mjs'), 'wait'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'readable');
    const output = text(child.stdout);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(await output, 'waiting\nstopping\n');
    assert.equal(code, 7);
  });

  it('runs the command in the directory of the user', () => {
    assert.equal(bootstrap(['where'], { env: { INIT_CWD: '/usr' } }).stdout, '/usr\n');
  });

  it('only sets up with --setup', () => {
    const { stdout, stderr, status } = bootstrap(['--setup']);
    assert.deepEqual({ stdout, stderr, status }, { stdout: '', stderr: 'Everything is in place.\n', status: 0 });
  });

  it('takes over the lock of a dead setup', () => {
    const deadPid = spawnSync(process.execPath, ['-e', '']).pid;
    write('dist/setup.lock', String(deadPid));
    assert.equal(bootstrap(['--help']).status, 0);
    assert.equal(existsSync(join(root, 'dist/setup.lock')), false);
  });

  it('waits for a running setup', async () => {
    const holder = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    write('dist/setup.lock', String(holder.pid));
    const child = spawn(process.execPath, [join(root, 'tools/bootstrap.mjs'), '--help'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = text(child.stdout);
    const [line] = await once(child.stderr.setEncoding('utf8'), 'data');
    assert.equal(line, `Another setup (process ${holder.pid}) is running; waiting for it.\n`);
    holder.stdin.end();
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.equal(await output, 'the help of the command\n');
  });

  it('refuses to run a missing file', () => {
    const { stderr, status } = bootstrap(['--run', 'tools/none.ts']);
    assert.match(stderr, /^ringfence setup: there is no tools\/none\.ts in /);
    assert.equal(status, 1);
  });
});

describe('when dependencies are missing or stale, the bootstrap', () => {
  const stale = { [NODE]: { version: '23.0.0' } };

  function withInstalled(t: TestContext, packages: object): void {
    setInstalled(packages);
    t.after(() => setInstalled(LOCK.packages));
  }

  it('requires development dependencies for development programs, not for the command', (t) => {
    withInstalled(t, { [NODE]: LOCK.packages[NODE] ?? {} });
    assert.equal(bootstrap(['--help']).stderr, '');
    assert.match(
      bootstrap(['--run', 'tools/other.ts'], { env: { PATH: '/nonexistent' } }).stderr,
      /^Setting Ringfence up/,
    );
  });

  it('does not start a Node with another integrity than the lock file has', (t) => {
    withInstalled(t, { ...LOCK.packages, [NODE]: { version: '24.0.0', integrity: 'sha512-BBBB', optional: true } });
    const { stdout, stderr, status } = bootstrap(['--help'], { env: { PATH: '/nonexistent' } });
    assert.match(stderr, /^Setting Ringfence up/);
    assert.deepEqual([stdout, status], ['', 1]);
  });

  it('reports that npm is missing', (t) => {
    withInstalled(t, stale);
    const { stderr, status } = bootstrap(['--help'], { env: { PATH: '/nonexistent' } });
    assert.match(stderr, /ringfence setup: npm was not found on PATH/);
    assert.equal(status, 1);
  });

  it('reports that the registry could not be reached', (t) => {
    withInstalled(t, stale);
    // No process listens on port 9 (discard) of this machine.
    const lock = {
      name: 'small',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'small', version: '1.0.0', dependencies: { absent: '1.0.0' } },
        'node_modules/absent': { version: '1.0.0', integrity: 'sha512-AAAA' },
      },
    };
    write('package-lock.json', JSON.stringify(lock));
    t.after(() => write('package-lock.json', JSON.stringify(LOCK)));
    const env = {
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_fetch_retries: '0',
      npm_config_cache: join(root, 'cache'),
    };
    const { stderr, status } = bootstrap(['--help'], { env });
    assert.match(stderr, /Dependencies and Node 24 \(npm ci\): failed/);
    assert.match(stderr, /ringfence setup: the package registry could not be reached/);
    assert.equal(status, 1);
  });
});

describe('when system packages are missing and cannot be installed, the bootstrap', () => {
  it('lists them, prints the install command, and continues', (t) => {
    if (process.getuid?.() !== 0) return t.skip('hiding a directory in a mount namespace needs root');
    const nothing = join(root, 'nothing');
    mkdirSync(nothing, { recursive: true });
    for (const path of [root, nothing]) chmodSync(path, 0o755);
    const script = `mount --bind ${nothing} /usr/include/bpf && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`;
    const command = [
      '-m',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
      readable(process.execPath),
      join(root, 'tools/bootstrap.mjs'),
      '--help',
    ];
    const { stdout, stderr, status } = spawnSync('unshare', command, {
      cwd: root,
      encoding: 'utf8',
      env: environment(),
    });
    assert.match(stderr, /Missing on this system:\n {2}- libbpf headers \(bpf\/bpf_helpers\.h\)\n/);
    assert.match(stderr, /Install it as root with: .*libbpf/);
    assert.match(stderr, /Continuing: commands that need the sensor will fail until then\./);
    assert.equal(stdout, 'the help of the command\n');
    assert.equal(status, 0);
  });
});

describe('the container engine for tests', () => {
  const unprivileged = process.getuid?.() === 0 ? false : 'only root can install an engine';
  let env: NodeJS.ProcessEnv;

  before(() => {
    write('tools/test.ts', "console.log('the tests', ...process.argv.slice(2));");
    write('rules/test/table.test.ts', '');
    write('test/deploy/image.test.ts', "import './lib/engine-files.ts';");
    write('test/deploy/lib/engine-files.ts', '');
    write('bin/apt-get', '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "E: Could not resolve host"; exit 100\n');
    chmodSync(join(root, 'bin/apt-get'), 0o755);
    env = { PATH: `${join(root, 'bin')}:${process.env['PATH']}` };
  });

  const engineSteps = (...args: string[]) => {
    const { stdout, stderr, status } = bootstrap(['--run', ...args], { env });
    assert.equal(status, 0, stderr);
    return { stdout, engine: /Container engines/.test(stderr), stderr };
  };

  it('is not installed for a file without needs, for --list, or for another program', { skip: unprivileged }, () => {
    for (const args of [
      ['tools/test.ts', 'rules/test/table'],
      ['tools/test.ts', 'rules/test/table', '--only', 'image', '--timeout', '5'],
      ['tools/test.ts', '--list'],
      ['tools/test.ts', '--no-such-option'],
      ['tools/other.ts'],
    ])
      assert.equal(engineSteps(...args).engine, false, args.join(' '));
  });

  it('is installed for a file that needs it and for a full run; if that fails, the tests run without it', {
    skip: unprivileged,
  }, () => {
    for (const args of [[], ['--only', 'any'], ['deploy'], ['rules', 'deploy']]) {
      const { stdout, stderr, engine } = engineSteps('tools/test.ts', ...args);
      assert.equal(engine, true, args.join(' '));
      assert.equal(stdout, `${['the tests', ...args].join(' ')}\n`);
      assert.match(stderr, /Could not resolve host\nContinuing without container engines/);
    }
    assert.deepEqual(
      readdirSync(join(root, 'dist')).filter((name) => name.startsWith('engine')),
      [],
    );
  });
});
