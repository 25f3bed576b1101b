import { setTimeout as sleep } from 'node:timers/promises';
import { decode, type Incident, TOPIC } from '@ringfence/schema';
import { alertLine } from '../view/alert.ts';
import { incidentLine, renderIncident } from '../view/incident.ts';
import type { LiveView } from '../view/live.ts';
import type { Paint } from '../view/paint.ts';
import { statusLines } from '../view/status.ts';
import type { App } from './app.ts';
import { statusOf } from './status.ts';

/** An incident is told whole when it has been quiet for this long. */
const QUIET_MS = 700;
const REDRAW_MS = 500;

/** Shows what happens until `signal` aborts: alerts as they come, incidents whole when they pause, the state of the services below. */
export async function watch(app: App, view: LiveView, paint: Paint, signal: AbortSignal): Promise<void> {
  const { services, site } = app;
  // In a fleet what happens is told where it is decided or kept.
  const tells = site.fleet === null || Boolean(services.responder ?? services.auditor);
  const told = tells ? [alerts(app, view, paint, signal), new IncidentTeller(app, view, paint).run(signal)] : [];
  await Promise.all([...told, redraw(app, view, paint, signal), once(signal)]);
}

async function alerts({ site: { bus } }: App, view: LiveView, paint: Paint, signal: AbortSignal): Promise<void> {
  for await (const { value } of bus.read({ topic: TOPIC.alerts, from: 'latest', follow: true, signal })) {
    if (value !== null) view.print(alertLine(paint, decode('Alert', value)));
  }
}

const once = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

class IncidentTeller {
  readonly #app: App;
  readonly #view: LiveView;
  readonly #paint: Paint;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(app: App, view: LiveView, paint: Paint) {
    this.#app = app;
    this.#view = view;
    this.#paint = paint;
  }

  async run(signal: AbortSignal): Promise<void> {
    for await (const { value } of this.#app.site.bus.read({
      topic: TOPIC.incidents,
      from: 'latest',
      follow: true,
      signal,
    })) {
      if (value !== null) this.#changed(decode('Incident', value));
    }
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #changed(incident: Incident): void {
    if (!this.#timers.has(incident.id)) this.#view.print(incidentLine(this.#paint, incident));
    clearTimeout(this.#timers.get(incident.id));
    this.#timers.set(
      incident.id,
      setTimeout(() => void this.#tell(incident), QUIET_MS),
    );
  }

  /** From the audit trail, which by now knows what was done about it. */
  async #tell(incident: Incident): Promise<void> {
    this.#timers.delete(incident.id);
    const alone = { incident, alerts: [], commands: [], results: [] };
    const stored = async () => this.#app.audit?.incident(incident.id);
    // A cluster that is away takes nothing from what the bus said.
    const file = (await stored().catch(() => undefined)) ?? alone;
    this.#view.print(`\n${renderIncident(this.#paint, file)}\n`);
  }
}

async function redraw(app: App, view: LiveView, paint: Paint, signal: AbortSignal): Promise<void> {
  if (!view.interactive) return;
  let before = await statusOf(app);
  let at = performance.now();
  while (!signal.aborted) {
    await sleep(REDRAW_MS, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    const status = await statusOf(app);
    const now = performance.now();
    view.draw(statusLines(paint, status, before, (now - at) / 1000));
    [before, at] = [status, now];
  }
}
