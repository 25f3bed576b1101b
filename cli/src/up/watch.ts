import type { Paint } from '@ringfence/base';
import { fateOf, pause } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { App, AppLog } from '@ringfence/runtime';
import { statusOf } from '@ringfence/runtime/status';
import { decode, type Incident, TOPIC } from '@ringfence/schema';
import { incidentLine, renderIncident } from '../incident/view.ts';
import { alertLine } from '../lists/alert-view.ts';
import type { LiveView } from '../shared/live.ts';
import { statusLines } from '../status/view.ts';

/** An incident is told whole when it has been quiet for this long. */
const QUIET_MS = 700;
const REDRAW_MS = 500;
const AGAIN_MS = 5000;

export interface Watching {
  readonly app: App;
  readonly log: AppLog;
  readonly view: LiveView;
  readonly paint: Paint;
  readonly signal: AbortSignal;
}

/** Shows what happens until `signal` aborts: alerts as they come, incidents whole when they pause, the state of the services below. */
export async function watch(watching: Watching): Promise<void> {
  const { services, site } = watching.app;
  // In a fleet what happens is told where it is decided or kept.
  const tells = site.fleet === null || Boolean(services.responder ?? services.auditor);
  const told = tells ? [alerts(watching), new IncidentTeller(watching).run()] : [];
  await Promise.all([...told, redraw(watching), once(watching.signal)]);
}

async function alerts({ app, log, view, paint, signal }: Watching): Promise<void> {
  await follow({ bus: app.site.bus, log, topic: TOPIC.alerts, signal }, (value) =>
    view.print(alertLine(paint, decode('Alert', value))),
  );
}

interface Followed {
  readonly bus: Bus;
  readonly log: AppLog;
  readonly topic: string;
  readonly signal: AbortSignal;
}

/** From now on, whatever the brokers say meanwhile: services are not ended because something can't be shown. */
async function follow({ bus, log, topic, signal }: Followed, show: (value: Uint8Array) => void): Promise<void> {
  let from: number | 'latest' = 'latest';
  while (!signal.aborted) {
    try {
      for await (const { value, timestamp } of bus.read({ topic, from, follow: true, signal })) {
        from = timestamp + 1;
        if (value !== null) show(value);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (fateOf(error) !== 'retriable') throw error;
      log.warn({ err: error, topic }, 'what comes is not shown: it can not be followed; it is tried again');
      // What comes during the pause is shown after it.
      if (from === 'latest') from = Date.now() * 1000;
    }
    await pause(AGAIN_MS, signal);
  }
}

const once = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

class IncidentTeller {
  readonly #watching: Watching;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(watching: Watching) {
    this.#watching = watching;
  }

  async run(): Promise<void> {
    const { app, log, signal } = this.#watching;
    await follow({ bus: app.site.bus, log, topic: TOPIC.incidents, signal }, (value) =>
      this.#changed(decode('Incident', value)),
    );
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #changed(incident: Incident): void {
    const { view, paint } = this.#watching;
    if (!this.#timers.has(incident.id)) view.print(incidentLine(paint, incident));
    clearTimeout(this.#timers.get(incident.id));
    this.#timers.set(
      incident.id,
      setTimeout(() => void this.#tell(incident), QUIET_MS),
    );
  }

  /** From the audit trail, which by now knows what was done about it. */
  async #tell(incident: Incident): Promise<void> {
    this.#timers.delete(incident.id);
    const { app, view, paint } = this.#watching;
    const alone = { incident, alerts: [], commands: [], results: [] };
    const stored = async () => app.audit?.incident(incident.id);
    // A cluster that is away takes nothing from what the bus said.
    const file = (await stored().catch(() => undefined)) ?? alone;
    view.print(`\n${renderIncident(paint, file)}\n`);
  }
}

async function redraw({ app, view, paint, signal }: Watching): Promise<void> {
  if (!view.interactive) return;
  let before = await statusOf(app);
  let at = performance.now();
  while (!signal.aborted) {
    await pause(REDRAW_MS, signal);
    const status = await statusOf(app);
    const now = performance.now();
    view.draw(statusLines(paint, status, before, (now - at) / 1000));
    [before, at] = [status, now];
  }
}
