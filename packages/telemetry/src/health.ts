import type { IncomingMessage, ServerResponse } from 'node:http';

/** The state of a process by component: null when the component is healthy, otherwise the problem in plain words. */
export type Checks = Readonly<Record<string, string | null>>;

export interface Health {
  /** Whether the process works; a failed component needs a restart. */
  live(): Checks;
  /** Whether the process can work now; names the dependencies it waits for. */
  ready(): Checks | Promise<Checks>;
}

/** Answers `/healthz` and `/readyz` with 200 or 503 and the components as JSON. Returns false for other paths. */
export async function handleHealth(
  request: IncomingMessage,
  response: ServerResponse,
  health: Health,
): Promise<boolean> {
  const path = (request.url ?? '').split('?')[0];
  if (path !== '/healthz' && path !== '/readyz') return false;
  const checks = path === '/healthz' ? health.live() : await health.ready();
  const healthy = Object.values(checks).every((problem) => problem === null);
  response
    .writeHead(healthy ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(`${JSON.stringify({ status: healthy ? 'ok' : 'unavailable', checks })}\n`);
  return true;
}
