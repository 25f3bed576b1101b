import { createLogger } from '@ringfence/telemetry';
import type { Command } from 'commander';
import { serveApi } from '../api/server.ts';
import { startApp } from '../app/app.ts';
import { AppMonitor, serveMonitor } from '../app/metrics.ts';
import { type PartLink, takePart } from '../app/part.ts';
import { routesOf } from '../app/routes.ts';
import type { SensorLink } from '../app/sensor-link.ts';
import { watch } from '../app/watch.ts';
import { LiveView } from '../view/live.ts';
import { paintFor } from '../view/paint.ts';
import { print, settingsOf, socketOf, untilInterrupted, withSettings } from './context.ts';

export function addUp(program: Command): void {
  const command = program
    .command('up')
    .description('watch this machine: run the services (all of them, or --only some) until Ctrl-C')
    .addHelpText(
      'after',
      `
On a terminal it draws what happens; elsewhere it writes a line for each alert and incident.
Nothing is killed unless a policy says "enforce" for where it happens, or --mode enforce is given.

Examples:
  ringfence up
  ringfence up --only collector,enricher --config /etc/ringfence/agent.yaml
  ringfence up --set sensor.opens=all --set detector.rules=builtin,/etc/ringfence/rules`,
    );
  withSettings(command).action((_, self: Command) => up(self));
}

async function up(self: Command): Promise<void> {
  const part = takePart();
  const config = settingsOf(self);
  if (part?.name === 'sensor') {
    const { runSensor } = await import('../app/sensor-part.ts');
    return runSensor(config, part.fd);
  }
  if (part === null && config.user !== '') {
    const { launch } = await import('../app/launch.ts');
    launch(config, createLogger(config.log));
  }
  const signal = untilInterrupted();
  const paint = paintFor(process.stdout);
  using view = new LiveView(process.stdout);
  const log = createLogger(
    view.interactive ? { ...config.log, stream: { write: (line) => view.print(line.trimEnd()) } } : config.log,
  );
  view.print(paint.dim('starting: the log, the services, the sensor…'));
  const monitor = new AppMonitor();
  await using _metrics = await serveMonitor(config, monitor);
  const onWaiting = (what: string | null): void => {
    monitor.waiting(what);
    if (what !== null && view.interactive) view.draw([paint.dim(`${what}…`)]);
  };
  const link = part?.link ?? null;
  const sensor = link === null ? null : await linkTo(link, view);
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
  await Promise.race([watching, app.done]);
  view.draw([]);
  print(paint.dim('stopping: what is in hand is finished first…'));
}

/** What the sensor's process logs stands among the lines of this one. */
async function linkTo(link: PartLink, view: LiveView): Promise<SensorLink> {
  const { SensorLink } = await import('../app/sensor-link.ts');
  return new SensorLink(link, (line) => {
    if (view.interactive) view.print(line.trimEnd());
    else process.stderr.write(line);
  });
}
