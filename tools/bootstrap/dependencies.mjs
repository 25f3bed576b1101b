import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printProgress, runStep, SetupError } from './progress.mjs';

const PROGRAM_NODE_MAJOR = 24;
/** The lock file has the integrity of its program, and it has no install script. */
const NODE_PACKAGE = `node_modules/node-linux-${process.arch}`;
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED/;

function readLock(path) {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Compares the lock file with node_modules/.package-lock.json. npm writes that file last, so it lists complete packages
 * only; a difference means a stale or interrupted installation.
 */
function isInstalled(root, development) {
  const locked = readLock(join(root, 'package-lock.json'));
  if (locked === undefined)
    throw new SetupError(`package-lock.json in ${root} is missing or broken; restore it from git`);
  const installed = readLock(join(root, 'node_modules/.package-lock.json'));
  if (installed === undefined) return false;
  return Object.entries(locked).every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true;
    if ((entry.optional || entry.devOptional) && path !== NODE_PACKAGE) return true;
    if (entry.dev && !development) return true;
    const present = installed[path];
    return present !== undefined && present.version === entry.version && present.integrity === entry.integrity;
  });
}

/** Returns the npm that started this program, which npm names in the environment, or else the one on PATH. */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script !== undefined && /npm-cli\.c?js$/.test(script) && existsSync(script))
    return { command: process.execPath, first: [script] };
  return { command: 'npm', first: [] };
}

function explainNpm({ code, output }) {
  if (code === 127) return 'npm was not found on PATH; it comes with Node (Debian and Ubuntu: apt-get install npm)';
  const tail = output.trimEnd().split('\n').slice(-25).join('\n');
  if (OFFLINE.test(output)) {
    return `the package registry could not be reached. Check the network and the proxy settings (npm config list), then run this again.\n${tail}`;
  }
  if (/ENOSPC/.test(output))
    return `the disk is full: free some space (about 500 MB are needed), then run this again.\n${tail}`;
  return `npm ci failed:\n${tail}`;
}

/** @returns {string | undefined} path of a Node that can run TypeScript sources */
function programNode(root) {
  const installed = join(root, NODE_PACKAGE, 'bin/node');
  if (existsSync(installed)) return installed;
  return Number(process.versions.node.split('.')[0]) >= PROGRAM_NODE_MAJOR ? process.execPath : undefined;
}

/**
 * Runs npm ci unless the installation matches the lock file.
 * @returns {Promise<string>} path of the Node to run Ringfence with
 */
export async function installDependencies(root, development) {
  if (!isInstalled(root, development)) {
    printProgress(`Setting Ringfence up in ${root}; this takes a minute the first time.`);
    const { command, first } = npmCommand();
    const args = [...first, 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    const result = await runStep('Dependencies and Node 24 (npm ci)', command, args, { cwd: root });
    if (result.code !== 0) throw new SetupError(explainNpm(result));
  }
  const node = programNode(root);
  if (node === undefined) {
    throw new SetupError(
      `there is no Node ${PROGRAM_NODE_MAJOR} for ${process.platform} on ${process.arch} in ${NODE_PACKAGE}, and this Node is ` +
        `${process.versions.node}: start it with Node ${PROGRAM_NODE_MAJOR} or newer`,
    );
  }
  return node;
}
