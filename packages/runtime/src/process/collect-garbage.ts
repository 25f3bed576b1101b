import { Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';

/** By then the start is over: running processes are hashed, and the first requests are answered. */
const INTERVAL_MS = 10_000;
/** Share of the main thread's time below which it is quiet. A busier process collects often enough by itself. */
const QUIET_UTILIZATION = 0.2;

/**
 * Collects the garbage of the start once, after the first quiet 10 s. V8 would wait until the heap has doubled, which
 * may never happen on a quiet host. Takes about 50 ms of the main thread. Returns the timer.
 */
export function collectGarbageWhenQuiet(): NodeJS.Timeout {
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > QUIET_UTILIZATION) return;
    clearInterval(timer);
    collectGarbage();
  }, INTERVAL_MS);
  return timer.unref();
}

function collectGarbage(): void {
  const session = new Session();
  session.connect();
  // Not in the callback itself: the session holds its lock while it delivers the answer.
  session.post('HeapProfiler.collectGarbage', () => setImmediate(() => session.disconnect()));
}
