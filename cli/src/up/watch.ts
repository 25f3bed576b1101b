import { fateOf, type Paint, pause } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { App, AppLog } from '@ringfence/runtime';
import { statusOf } from '@ringfence/runtime/status';
import { decode, type Incident, TOPIC } from '@ringfence/wire';
import { incidentLine, renderIncident } from '../incident/view.ts';
import { alertLine } from '../lists/view.ts';
import type { LiveView } from '../shared/live.ts';
import { statusLines } from '../status/view.ts';

/** An incident is printed with its timeline once it has not changed for this long. */
const QUIET_MS = 700;
const REDRAW_MS = 500;
const RETRY_MS = 5000;

export interface Watching {
  readonly app: App;
  readonly log: AppLog;
  readonly view: LiveView;
  readonly paint: Paint;
  readonly signal: AbortSignal;
}

/**
 * Prints alerts as they arrive and incidents once they are quiet, above the status of the services, until `signal`
 * aborts.
 */
export async function watch(watching: Watching): Promise<void> {
  const { services, deployment } = watching.app;
  // In a fleet, only the processes of responders and auditors print alerts and incidents.
  const prints = deployment.fleet === null || Boolean(services.responder ?? services.auditor);
  const printers = prints ? [printAlerts(watching), new IncidentPrinter(watching).run()] : [];
  await Promise.all([...printers, redraw(watching), aborted(watching.signal)]);
}

async function printAlerts({ app, log, view, paint, signal }: Watching): Promise<void> {
  await follow({ bus: app.deployment.bus, log, topic: TOPIC.alerts, signal }, (value) =>
    view.print(alertLine(paint, decode('Alert', value))),
  );
}

interface FollowOptions {
  readonly bus: Bus;
  readonly log: AppLog;
  readonly topic: string;
  readonly signal: AbortSignal;
}

/**
 * Reads a topic from now on. Errors of the brokers are retried: the services must not stop because the view has no
 * data.
 */
async function follow({ bus, log, topic, signal }: FollowOptions, onValue: (value: Uint8Array) => void): Promise<void> {
  let from: number | 'latest' = 'latest';
  while (!signal.aborted) {
    try {
      for await (const { value, timestamp } of bus.read({ topic, from, follow: true, signal })) {
        from = timestamp + 1;
        if (value !== null) onValue(value);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (fateOf(error) !== 'retriable') throw error;
      log.warn({ err: error, topic }, 'the view cannot read the topic; it retries');
      // The next attempt reads from here, so that it includes the records of the pause.
      if (from === 'latest') from = Date.now() * 1000;
    }
    await pause(RETRY_MS, signal);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

class IncidentPrinter {
  readonly #watching: Watching;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(watching: Watching) {
    this.#watching = watching;
  }

  async run(): Promise<void> {
    const { app, log, signal } = this.#watching;
    await follow({ bus: app.deployment.bus, log, topic: TOPIC.incidents, signal }, (value) =>
      this.#onChange(decode('Incident', value)),
    );
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #onChange(incident: Incident): void {
    const { view, paint } = this.#watching;
    if (!this.#timers.has(incident.id)) view.print(incidentLine(paint, incident));
    clearTimeout(this.#timers.get(incident.id));
    this.#timers.set(
      incident.id,
      setTimeout(() => void this.#print(incident), QUIET_MS),
    );
  }

  /** Prints the incident from the audit trail, which by now has its commands and results. */
  async #print(incident: Incident): Promise<void> {
    this.#timers.delete(incident.id);
    const { app, view, paint } = this.#watching;
    const fromBus = { incident, alerts: [], commands: [], results: [] };
    const fromTrail = async () => app.audit?.incident(incident.id);
    // Without an audit cluster that answers, print the incident as it was on the bus.
    const file = (await fromTrail().catch(() => undefined)) ?? fromBus;
    view.print(`\n${renderIncident(paint, file)}\n`);
  }
}

async function redraw({ app, view, paint, signal }: Watching): Promise<void> {
  if (!view.interactive) return;
  let previous = await statusOf(app);
  let drawnAt = performance.now();
  while (!signal.aborted) {
    await pause(REDRAW_MS, signal);
    const status = await statusOf(app);
    const now = performance.now();
    view.draw(statusLines(paint, status, previous, (now - drawnAt) / 1000));
    [previous, drawnAt] = [status, now];
  }
}
