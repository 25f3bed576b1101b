/**
 * Runs checkpoints on a separate thread, because their flushes would block the event loop for tens of milliseconds.
 * Each message starts one checkpoint.
 */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { CheckpointReply, CheckpointSettings } from './checkpointer.ts';

const { path, synchronous, busy }: CheckpointSettings = workerData;
const db = new Database(path, { timeout: 0, fileMustExist: true });
db.pragma(`synchronous = ${synchronous}`);
db.pragma('cache_size = -256');
const checkpoint = db.prepare<[], CheckpointReply>('PRAGMA wal_checkpoint(PASSIVE)');

/** Returns the error, which the main thread logs. A full disk may have room again at the next checkpoint. */
function runCheckpoint(): CheckpointReply | { readonly error: unknown } | undefined {
  try {
    return checkpoint.get();
  } catch (error) {
    return { error };
  }
}

parentPort?.on('message', (message: 'checkpoint' | 'stop') => {
  if (message === 'checkpoint') {
    Atomics.store(busy, 0, 1);
    parentPort?.postMessage(runCheckpoint());
    Atomics.store(busy, 0, 0);
    Atomics.notify(busy, 0);
    return;
  }
  db.close();
  parentPort?.close();
});
