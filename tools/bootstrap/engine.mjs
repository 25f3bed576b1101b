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
import { printProgress, runStep } from './progress.mjs';

/** Packages of Debian and Ubuntu: the programs, and the libraries that a minimal system lacks. */
const PACKAGES = [
  ...['docker.io', 'containerd', 'runc', 'debootstrap', 'libdevmapper1.02.1', 'libseccomp2'],
  ...['podman', 'conmon', 'libgpgme11', 'libassuan0', 'libsubid4', 'libyajl2'],
  // Programs of healthy machines, for the jobs of packages/rule-corpus and the logs of rules/recordings, and rsyslog
  // as the far side of a sink: 5 MB.
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
    'rsyslog-openssl',
    'rsyslog-relp',
    'librelp0',
    'libestr0',
    'libfastjson4',
  ],
];
/** File in the installed directory that lists its packages. */
const LIST = 'packages';
/** Newer releases have the docker command in a separate package. */
const CLIENT = 'docker-cli';
/** Paths removed from the base of container images. */
const EXCLUDED_PATHS = [
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

/** Returns apt's first main archive and its release. */
function findArchive() {
  const format = ['--format', '$(REPO_URI) $(CODENAME)', 'Created-By: Packages', 'Component: main'];
  const { stdout = '' } = spawnSync('apt-get', ['indextargets', ...format], { encoding: 'utf8' });
  const target = stdout.split('\n').find((line) => /^http\S+ \w+$/.test(line));
  if (target === undefined) throw new EngineError('apt has no archive that this release could be fetched from');
  const [uri, release] = target.split(' ');
  return { uri, release };
}

async function unpackPackages(directory) {
  const root = join(directory, 'root');
  const fetchInto = async (names) => {
    const title = `Container engines and servers for tests (apt-get download ${names.join(' ')})`;
    const first = await runStep(title, 'apt-get', ['download', '-q', ...names], { cwd: directory });
    if (first.code !== 0) {
      await step('Package lists (apt-get update)', 'apt-get', ['update', '-q']);
      await step(title, 'apt-get', ['download', '-q', ...names], { cwd: directory });
    }
    for (const name of readdirSync(directory).filter((file) => file.endsWith('.deb'))) {
      await step(`Unpacking ${name}`, 'dpkg-deb', ['-x', join(directory, name), root]);
      rmSync(join(directory, name));
    }
  };
  await fetchInto(PACKAGES);
  if (!existsSync(join(root, 'usr/bin/docker'))) await fetchInto([CLIENT]);
}

/** Builds the base of container images: a minimal system of this release. */
async function makeBase(directory) {
  const { uri, release } = findArchive();
  const base = join(directory, 'base');
  const scripts = join(directory, 'root/usr/share/debootstrap');
  const program = join(directory, 'root/usr/sbin/debootstrap');
  const args = [program, '--variant=minbase', release, base, uri];
  const env = { ...process.env, DEBOOTSTRAP_DIR: scripts };
  await step(`Base of container images for tests (debootstrap ${release})`, 'sh', args, { env });
  for (const path of EXCLUDED_PATHS) rmSync(join(base, path), { recursive: true, force: true });
  mkdirSync(join(base, 'var/log'));
  await step('Packing the base', 'tar', ['-C', base, '-cf', join(directory, 'base.tar'), '.']);
  rmSync(base, { recursive: true });
}

/**
 * Installs container engines and servers for the tests into dist/engine, outside of the system and without starting a
 * service: root/ has their programs; base.tar is the base of images, because tests cannot rely on an image registry.
 * If a step fails, prints the reason and returns; the tests that need an engine are then skipped.
 */
export async function installEngine(root) {
  const target = join(root, 'dist/engine');
  const list = `${PACKAGES.join('\n')}\n`;
  if (existsSync(join(target, LIST)) && readFileSync(join(target, LIST), 'utf8') === list) return;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return;
  mkdirSync(join(root, 'dist'), { recursive: true });
  // Rename only a complete directory into place.
  const directory = mkdtempSync(join(root, 'dist/engine-'));
  try {
    await unpackPackages(directory);
    await makeBase(directory);
    writeFileSync(join(directory, LIST), list);
    rmSync(target, { recursive: true, force: true });
    renameSync(directory, target);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    printProgress(
      `${error.message}\nContinuing without container engines and servers: the tests that need them are skipped.`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
