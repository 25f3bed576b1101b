import { type Paint, paintFor } from '@ringfence/base';
import { type Config, socketOf } from '@ringfence/config';
import {
  type App,
  AppMonitor,
  routesOf,
  SensorClient,
  serveApi,
  serveMonitor,
  startApp,
  withStateFile,
} from '@ringfence/runtime';
import { ServiceManager, untilInterrupted, Watchdog } from '@ringfence/runtime/process';
import type { SensorConnection } from '@ringfence/runtime/process-role';
import { createLogger } from '@ringfence/telemetry';
import { print } from '../shared/context.ts';
import { LiveView } from '../shared/live.ts';
import { watch } from './watch.ts';

/** Runs the services until interrupted. `connection`: to the privileged sensor process; null without that process. */
export async function run(config: Config, connection: SensorConnection | null): Promise<void> {
  const signal = untilInterrupted();
  using manager = await ServiceManager.connect();
  const paint = paintFor(process.stdout);
  using view = new LiveView(process.stdout);
  const log = createLogger(
    isWatched(view) ? { ...config.log, stream: { write: (line) => view.print(line.trimEnd()) } } : config.log,
  );
  view.print(paint.dim('starting the log, the services and the sensor…'));
  const monitor = new AppMonitor();
  await using _metrics = await serveMonitor(config, monitor);
  using watchdog = new Watchdog({
    onHealthy: () => manager?.beat(),
    expectedMs: manager?.watchdogMs ?? null,
    log,
  });
  const onWaiting = (reason: string | null): void => {
    monitor.setWaiting(reason);
    // The service manager would end a start that waits for other machines.
    if (reason !== null) manager?.ready(reason);
    if (reason !== null && view.interactive) view.draw([paint.dim(`${reason}…`)]);
  };
  const sensor = connection === null ? null : createSensorClient(connection, view);
  await using app = await startApp(config, log, { signal, onWaiting, sensor });
  monitor.setStarted(app);
  await using _api = await serveApi(socketOf(config), routesOf(app), app.operators.record);
  manager?.ready(`running ${config.services.join(', ')}`);
  const { collector } = app.services;
  if (collector !== undefined) watchdog.watch(() => collector.ticks());
  view.print(`${paint.green('●')} ${readyText(app, paint)}`);
  const watching = watch({ app, log, view, paint, signal });
  await Promise.race([watching, app.done]).catch((error: unknown) => {
    throw withStateFile(error, config);
  });
  view.draw([]);
  watchdog[Symbol.dispose]();
  manager?.stopping();
  print(paint.dim('stopping after the current batches…'));
}

function readyText({ config, services, deployment }: App, paint: Paint): string {
  if (services.collector === undefined) return `running ${config.services.join(', ')}; Ctrl-C stops.`;
  const hint = paint.dim('  In a second terminal: npm run demo');
  return `watching this machine as host ${deployment.hostId}; Ctrl-C stops.${hint}`;
}

/** Prints the log lines of the sensor process among those of this process. */
function createSensorClient(connection: SensorConnection, view: LiveView): SensorClient {
  return new SensorClient(connection, (line) => {
    if (isWatched(view)) view.print(line.trimEnd());
    else process.stderr.write(line);
  });
}

/** Whether the log goes to the terminal of the view, which then prints it. A redirected log stays out of the view. */
const isWatched = (view: LiveView): boolean => view.interactive && process.stderr.isTTY === true;
