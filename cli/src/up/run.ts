import { type Paint, paintFor } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { socketOf } from '@ringfence/config';
import {
  type App,
  AppMonitor,
  routesOf,
  SensorLink,
  serveApi,
  serveMonitor,
  startApp,
  withStore,
} from '@ringfence/runtime';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { PartLink } from '@ringfence/runtime/process-role';
import { createLogger } from '@ringfence/telemetry';
import { print } from '../shared/context.ts';
import { LiveView } from '../shared/live.ts';
import { watch } from './watch.ts';

/** Runs the services until interrupted. `link`: to the sensor process, which has the capabilities; null without one. */
export async function run(config: Config, link: PartLink | null): Promise<void> {
  const signal = untilInterrupted();
  const paint = paintFor(process.stdout);
  using view = new LiveView(process.stdout);
  const log = createLogger(
    view.interactive ? { ...config.log, stream: { write: (line) => view.print(line.trimEnd()) } } : config.log,
  );
  view.print(paint.dim('starting the log, the services and the sensor…'));
  const monitor = new AppMonitor();
  await using _metrics = await serveMonitor(config, monitor);
  const onWaiting = (reason: string | null): void => {
    monitor.waiting(reason);
    if (reason !== null && view.interactive) view.draw([paint.dim(`${reason}…`)]);
  };
  const sensor = link === null ? null : linkTo(link, view);
  await using app = await startApp(config, log, { signal, onWaiting, sensor });
  monitor.started(app);
  await using _api = await serveApi(socketOf(config), routesOf(app));
  view.print(`${paint.green('●')} ${readyText(app, paint)}`);
  const watching = watch({ app, log, view, paint, signal });
  await Promise.race([watching, app.done]).catch((error: unknown) => {
    throw withStore(error, config);
  });
  view.draw([]);
  print(paint.dim('stopping after the current batches…'));
}

function readyText({ config, services, site }: App, paint: Paint): string {
  if (services.collector === undefined) return `running ${config.services.join(', ')}; Ctrl-C stops.`;
  const hint = paint.dim('  In a second terminal: npm run demo');
  return `watching this machine as host ${site.hostId}; Ctrl-C stops.${hint}`;
}

/** Prints the log lines of the sensor process among those of this process. */
function linkTo(link: PartLink, view: LiveView): SensorLink {
  return new SensorLink(link, (line) => {
    if (view.interactive) view.print(line.trimEnd());
    else process.stderr.write(line);
  });
}
