import type { Config } from '@ringfence/config';
import { createLogger } from '@ringfence/telemetry';
import { serveApi } from '../api/server.ts';
import { print, socketOf, untilInterrupted } from '../commands/context.ts';
import { LiveView } from '../view/live.ts';
import { paintFor } from '../view/paint.ts';
import { startApp } from './app.ts';
import { AppMonitor, serveMonitor } from './metrics.ts';
import type { PartLink } from './part.ts';
import { routesOf } from './routes.ts';
import { SensorLink } from './sensor-link.ts';
import { withStore } from './store.ts';
import { watch } from './watch.ts';

/** `ringfence up` until it is interrupted. `link`: to the process that has the capabilities; null: this one does all. */
export async function run(config: Config, link: PartLink | null): Promise<void> {
  const signal = untilInterrupted();
  const paint = paintFor(process.stdout);
  using view = new LiveView(process.stdout);
  const log = createLogger(
    isWatched(view) ? { ...config.log, stream: { write: (line) => view.print(line.trimEnd()) } } : config.log,
  );
  view.print(paint.dim('starting: the log, the services, the sensor…'));
  const monitor = new AppMonitor();
  await using _metrics = await serveMonitor(config, monitor);
  const onWaiting = (what: string | null): void => {
    monitor.waiting(what);
    if (what !== null && view.interactive) view.draw([paint.dim(`${what}…`)]);
  };
  const sensor = link === null ? null : linkTo(link, view);
  await using app = await startApp(config, log, { signal, onWaiting, sensor });
  monitor.started(app);
  await using _api = await serveApi(socketOf(config), routesOf(app));
  const { services } = app;
  const what =
    services.collector === undefined
      ? `running ${config.services.join(', ')}`
      : `watching this machine as host ${app.site.hostId}`;
  view.print(
    `${paint.green('●')} ${what}; Ctrl-C stops.${services.collector === undefined ? '' : paint.dim('  In a second terminal: npm run demo')}`,
  );
  const watching = watch({ app, log, view, paint, signal });
  await Promise.race([watching, app.done]).catch((error: unknown) => {
    throw withStore(error, config);
  });
  view.draw([]);
  print(paint.dim('stopping: what is in hand is finished first…'));
}

/** What the sensor's process logs stands among the lines of this one. */
function linkTo(link: PartLink, view: LiveView): SensorLink {
  return new SensorLink(link, (line) => {
    if (isWatched(view)) view.print(line.trimEnd());
    else process.stderr.write(line);
  });
}

/** Whether the log goes to the same terminal as the view, which must then print it. A log that was redirected stays out of the view. */
const isWatched = (view: LiveView): boolean => view.interactive && process.stderr.isTTY === true;
