import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Hasher } from './hasher.ts';
import type { HashRequest, ThreadLimits } from './types.ts';

/**
 * On Linux this applies to the thread only, and also lowers the priority of its I/O. With an even lower priority, a
 * busy host would never finish a hash.
 */
setPriority(0, 10);

const { limits, progress } = workerData as { limits: ThreadLimits; progress: Int32Array };
const hasher = new Hasher(limits, progress, (answer) => parentPort?.postMessage(answer));
/** The thread ends itself on null: terminating it from outside during a libc call would crash the process. */
parentPort?.on('message', (request: HashRequest | null) => {
  if (request === null) process.exit();
  hasher.submit(request);
});
