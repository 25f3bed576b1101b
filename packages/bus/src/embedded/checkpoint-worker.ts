/** Folds the log back on a thread of its own: the flushes would hold up the event loop for tens of milliseconds. One message, one checkpoint. */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { CheckpointReply, CheckpointSettings } from './checkpointer.ts';

const { path, synchronous, busy }: CheckpointSettings = workerData;
const db = new Database(path, { timeout: 0, fileMustExist: true });
db.pragma(`synchronous = ${synchronous}`);
db.pragma('cache_size = -256');
const checkpoint = db.prepare<[], CheckpointReply>('PRAGMA wal_checkpoint(PASSIVE)');

/** The error is the main thread's to report: the next checkpoint may find room again. */
function copyBack(): CheckpointReply | { readonly error: unknown } | undefined {
  try {
    return checkpoint.get();
  } catch (error) {
    return { error };
  }
}

parentPort?.on('message', (message: 'checkpoint' | 'stop') => {
  if (message === 'checkpoint') {
    Atomics.store(busy, 0, 1);
    parentPort?.postMessage(copyBack());
    Atomics.store(busy, 0, 0);
    Atomics.notify(busy, 0);
    return;
  }
  db.close();
  parentPort?.close();
});
