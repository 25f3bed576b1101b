import { accessSync, constants, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from './progress.mjs';

const RETRY_MS = 300;

/** A checkout that belongs to somebody else: nothing can be installed into it, so nothing needs a lock. */
const NOT_OURS = new Set(['EACCES', 'EPERM', 'EROFS']);

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** @returns {boolean} whether the directory of the lock is there and can be written */
function canLock(directory) {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return true;
  } catch (error) {
    if (NOT_OURS.has(error.code)) return false;
    throw error;
  }
}

/** Linking a file that is already written makes taking the lock and naming its holder one step. */
function tryTake(path) {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** @returns {number | undefined} undefined: it was given back just now */
function holderOf(path) {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Two terminals started at once (`npm start`, `npm run demo`) must not install over each other. */
export async function holdLock(root, work) {
  const directory = join(root, 'dist');
  const path = join(directory, 'setup.lock');
  if (!canLock(directory)) return work();
  let said = false;
  while (!tryTake(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && !isAlive(holder)) rmSync(path, { force: true });
    if (holder === undefined || !isAlive(holder)) continue;
    if (!said) say(`Another setup (process ${holder}) is running; waiting for it.`);
    said = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
