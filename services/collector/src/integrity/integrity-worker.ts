/** One look at the integrity of kernel and host, on a thread of its own: it takes longer than rings should wait. */
import { parentPort, workerData } from 'node:worker_threads';
import { checkIntegrity, type IntegrityOptions } from './integrity.ts';

const options: IntegrityOptions = workerData;
parentPort?.postMessage(checkIntegrity(options));
