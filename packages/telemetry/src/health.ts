import type { IncomingMessage, ServerResponse } from 'node:http';

/** How a process does, by what it is made of: null when that part is well, else what is wrong in plain words. */
export type Checks = Readonly<Record<string, string | null>>;

export interface Health {
  /** Does it live? A part that has failed needs a restart. */
  live(): Checks;
  /** Can it do its work now? What it waits for is named. */
  ready(): Checks | Promise<Checks>;
}

/** Answers `/healthz` and `/readyz` as Kubernetes asks them: 200 or 503, with the parts as JSON. false: the request is for something else. */
export async function answerHealth(
  request: IncomingMessage,
  response: ServerResponse,
  health: Health,
): Promise<boolean> {
  const path = (request.url ?? '').split('?')[0];
  if (path !== '/healthz' && path !== '/readyz') return false;
  const checks = path === '/healthz' ? health.live() : await health.ready();
  const well = Object.values(checks).every((problem) => problem === null);
  response
    .writeHead(well ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(`${JSON.stringify({ status: well ? 'ok' : 'unavailable', checks })}\n`);
  return true;
}
