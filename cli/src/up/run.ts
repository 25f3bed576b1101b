import { paintFor } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { socketOf } from '@ringfence/config';
import {
  AppMonitor,
  routesOf,
  SensorClient,
  serveApi,
  serveMonitor,
  startApp,
  withStateFile,
} from '@ringfence/runtime';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { SensorConnection } from '@ringfence/runtime/process-role';
import { createLogger } from '@ringfence/telemetry';
import { print } from '../shared/context.ts';
import { LiveView } from '../shared/live.ts';
import { watch } from './watch.ts';

/**
 * Runs `ringfence up` until it is interrupted.
 *
 * @param connection to the sensor's process; null: the collector runs in this process
 */
export async function run(config: Config, connection: SensorConnection | null): Promise<void> {
  const signal = untilInterrupted();
  const paint = paintFor(process.stdout);
  using view = new LiveView(process.stdout);
  const log = createLogger(
    view.interactive ? { ...config.log, stream: { write: (line) => view.print(line.trimEnd()) } } : config.log,
  );
  view.print(paint.dim('starting: the log, the services, the sensor…'));
  const monitor = new AppMonitor();
  await using _metrics = await serveMonitor(config, monitor);
  const onWaiting = (reason: string | null): void => {
    monitor.setWaiting(reason);
    if (reason !== null && view.interactive) view.draw([paint.dim(`${reason}…`)]);
  };
  const sensor = connection === null ? null : createSensorClient(connection, view);
  await using app = await startApp(config, log, { signal, onWaiting, sensor });
  monitor.setStarted(app);
  await using _api = await serveApi(socketOf(config), routesOf(app));
  const { services } = app;
  const activity =
    services.collector === undefined
      ? `running ${config.services.join(', ')}`
      : `watching this machine as host ${app.deployment.hostId}`;
  view.print(
    `${paint.green('●')} ${activity}; Ctrl-C stops.${services.collector === undefined ? '' : paint.dim('  In a second terminal: npm run demo')}`,
  );
  const watching = watch({ app, log, view, paint, signal });
  await Promise.race([watching, app.done]).catch((error: unknown) => {
    throw withStateFile(error, config);
  });
  view.draw([]);
  print(paint.dim('stopping: what is in hand is finished first…'));
}

/** Log lines of the sensor's process appear among those of this process. */
function createSensorClient(connection: SensorConnection, view: LiveView): SensorClient {
  return new SensorClient(connection, (line) => {
    if (view.interactive) view.print(line.trimEnd());
    else process.stderr.write(line);
  });
}
