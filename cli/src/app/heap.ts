import { Session } from 'node:inspector';

/**
 * Collects what a start leaves behind: V8 would do so when its heap has grown by as much again, which on a host where little happens may be never. Takes
 * some 50 ms of the main thread, soon after the call.
 */
export function collectGarbage(): void {
  const session = new Session();
  session.connect();
  // Not at once: the answer comes while the session holds its lock.
  session.post('HeapProfiler.collectGarbage', () => setImmediate(() => session.disconnect()));
}
