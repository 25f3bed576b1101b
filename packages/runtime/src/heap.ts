import { Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';

/** By then whatever belongs to the start is over: processes found are hashed, the first requests answered. */
const EVERY_MS = 10_000;
/** Of the main thread's time: who does more collects often enough, and is not to be held up. */
const QUIET = 0.2;

/**
 * Collects once what a start leaves behind, after the first 10 s in which little happens: V8 would do so when its heap has grown by as much again, which on
 * a quiet host may be never. Takes some 50 ms of the main thread. Returns the timer, which whoever ends sooner clears.
 */
export function collectGarbageWhenQuiet(): NodeJS.Timeout {
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > QUIET) return;
    clearInterval(timer);
    collectGarbage();
  }, EVERY_MS);
  return timer.unref();
}

function collectGarbage(): void {
  const session = new Session();
  session.connect();
  // Not at once: the answer comes while the session holds its lock.
  session.post('HeapProfiler.collectGarbage', () => setImmediate(() => session.disconnect()));
}
