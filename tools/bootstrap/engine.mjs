import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { runStep, say } from './progress.mjs';

/** Debian's and Ubuntu's. The libraries are what the programs need beyond a minimal system. */
const PACKAGES = [
  ...['docker.io', 'containerd', 'runc', 'debootstrap', 'libdevmapper1.02.1', 'libseccomp2'],
  ...['podman', 'conmon', 'libgpgme11', 'libassuan0', 'libsubid4', 'libyajl2'],
  // Programs of healthy machines, for the jobs of packages/rule-corpus and the logs of rules/recordings: 5 MB.
  ...[
    'openssh-server',
    'openssh-sftp-server',
    'libwrap0',
    'nginx',
    'rsync',
    'libpopt0',
    'libxxhash0',
    'logrotate',
    'cron',
    'sudo',
    'rsyslog',
    'libestr0',
    'libfastjson4',
  ],
];
/** In what was brought: which packages it was made of. */
const LIST = 'packages';
/** A package of its own in newer releases. */
const CLIENT = 'docker-cli';
/** What an image for containers leaves out. */
const LEFT_OUT = [
  'var/cache/apt',
  'var/lib/apt/lists',
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'var/log',
];

class EngineError extends Error {}

async function step(title, command, args, options = {}) {
  const { code, output } = await runStep(title, command, args, options);
  if (code !== 0) throw new EngineError(output.trimEnd().split('\n').slice(-5).join('\n'));
}

/** apt's first main archive, and the release it is of. */
function archive() {
  const format = ['--format', '$(REPO_URI) $(CODENAME)', 'Created-By: Packages', 'Component: main'];
  const { stdout = '' } = spawnSync('apt-get', ['indextargets', ...format], { encoding: 'utf8' });
  const found = stdout.split('\n').find((line) => /^http\S+ \w+$/.test(line));
  if (found === undefined) throw new EngineError('apt has no archive that this release could be fetched from');
  const [uri, release] = found.split(' ');
  return { uri, release };
}

async function unpackPackages(place) {
  const root = join(place, 'root');
  const fetchInto = async (names) => {
    const title = `Container engines and servers for tests (apt-get download ${names.join(' ')})`;
    const first = await runStep(title, 'apt-get', ['download', '-q', ...names], { cwd: place });
    if (first.code !== 0) {
      await step('Package lists (apt-get update)', 'apt-get', ['update', '-q']);
      await step(title, 'apt-get', ['download', '-q', ...names], { cwd: place });
    }
    for (const name of readdirSync(place).filter((file) => file.endsWith('.deb'))) {
      await step(`Unpacking ${name}`, 'dpkg-deb', ['-x', join(place, name), root]);
      rmSync(join(place, name));
    }
  };
  await fetchInto(PACKAGES);
  if (!existsSync(join(root, 'usr/bin/docker'))) await fetchInto([CLIENT]);
}

/** What an image's base has: a minimal system of this release. */
async function makeBase(place) {
  const { uri, release } = archive();
  const base = join(place, 'base');
  const scripts = join(place, 'root/usr/share/debootstrap');
  const program = join(place, 'root/usr/sbin/debootstrap');
  const args = [program, '--variant=minbase', release, base, uri];
  const env = { ...process.env, DEBOOTSTRAP_DIR: scripts };
  await step(`Base of container images for tests (debootstrap ${release})`, 'sh', args, { env });
  for (const path of LEFT_OUT) rmSync(join(base, path), { recursive: true, force: true });
  mkdirSync(join(base, 'var/log'));
  await step('Packing it', 'tar', ['-C', base, '-cf', join(place, 'base.tar'), '.']);
  rmSync(base, { recursive: true });
}

/**
 * Brings container engines and servers for the tests into dist/engine, beside the system and without a service: root/ (their programs) and base.tar (what
 * images are built on, since tests need not reach an image registry). Where it can't, it says why, and tests that need it are skipped.
 */
export async function bringEngine(root) {
  const target = join(root, 'dist/engine');
  const list = `${PACKAGES.join('\n')}\n`;
  if (existsSync(join(target, LIST)) && readFileSync(join(target, LIST), 'utf8') === list) return;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return;
  mkdirSync(join(root, 'dist'), { recursive: true });
  // Made aside and moved into place: what is there is whole.
  const place = mkdtempSync(join(root, 'dist/engine-'));
  try {
    await unpackPackages(place);
    await makeBase(place);
    writeFileSync(join(place, LIST), list);
    rmSync(target, { recursive: true, force: true });
    renameSync(place, target);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    say(
      `${error.message}\nGoing on without container engines and servers of our own: tests that need one will be skipped.`,
    );
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
