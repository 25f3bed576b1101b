import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Hasher } from './hasher.ts';
import type { HashLimits, HashRequest } from './types.ts';

/** Of Linux's threads each has a niceness of its own; with it goes the priority of what it reads. Nicer yet, and a busy host would wait for ever. */
setPriority(0, 10);

const hasher = new Hasher(workerData as HashLimits, (answer) => parentPort?.postMessage(answer));
/** `null`: the end, of one's own accord. A thread that is ended from outside in the middle of a call to libc takes the whole process with it. */
parentPort?.on('message', (request: HashRequest | null) => {
  if (request === null) process.exit();
  hasher.submit(request);
});
