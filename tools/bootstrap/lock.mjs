import { accessSync, constants, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printProgress } from './progress.mjs';

const RETRY_MS = 300;

/** Errors of a checkout that this user cannot write to: nothing can be installed, so no lock is needed. */
const READ_ONLY_ERRORS = new Set(['EACCES', 'EPERM', 'EROFS']);

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** @returns {boolean} whether the directory of the lock exists, or could be created, and is writable */
function canLock(directory) {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return true;
  } catch (error) {
    if (READ_ONLY_ERRORS.has(error.code)) return false;
    throw error;
  }
}

/** Links a complete file that names the holder, so that taking the lock and recording its holder are one step. */
function tryTake(path) {
  const claim = `${path}.${process.pid}`;
  writeFileSync(claim, String(process.pid));
  try {
    linkSync(claim, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(claim, { force: true });
  }
}

/** @returns {number | undefined} pid of the holder; undefined if the lock has just been released */
function holderOf(path) {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Runs `work` under a lock: two terminals (`npm start`, `npm run demo`) must not install at the same time. */
export async function withLock(root, work) {
  const directory = join(root, 'dist');
  const path = join(directory, 'setup.lock');
  if (!canLock(directory)) return work();
  let isReported = false;
  while (!tryTake(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && !isAlive(holder)) rmSync(path, { force: true });
    if (holder === undefined || !isAlive(holder)) continue;
    if (!isReported) printProgress(`Another setup (process ${holder}) is running; waiting for it.`);
    isReported = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
