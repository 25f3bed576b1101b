import { join } from 'node:path';
import { goProgram, goProgramMissing, goSource } from './go-program.ts';
import { reservePorts } from './ports.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

const PROGRAM = goSource('collector', 26);

export interface Collector extends RunningServer, AsyncDisposable {
  /** http://127.0.0.1:port, without the path of OTLP/HTTP */
  readonly url: string;
}

/** Returns the reason why the OpenTelemetry collector can't be started; undefined when it can. */
export const collectorMissing = (): string | undefined => goProgramMissing(PROGRAM);

/**
 * Starts an OpenTelemetry collector on a free port of 127.0.0.1. It passes logs on to `target` as OTLP/HTTP in JSON,
 * and answers once `target` has answered.
 */
export async function startCollector(target: string): Promise<Collector> {
  const program = await goProgram(PROGRAM);
  await using undo = new AsyncDisposableStack();
  const [port] = undo.use(await reservePorts(1)).ports;
  const directory = undo.adopt(createWorkplace('collector'), removeWorkplace);
  const server = new ServerProcess({
    title: 'OpenTelemetry collector',
    command: [program, '--config', `yaml:${JSON.stringify(configOf(`127.0.0.1:${port}`, target))}`],
    log: join(directory, 'log'),
    isReady: (printed) => printed.includes('Everything is ready'),
  });
  undo.defer(() => server.remove());
  await server.start();
  const started = undo.move();
  return withControls(server, {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}

const configOf = (endpoint: string, target: string): object => ({
  receivers: { otlp: { protocols: { http: { endpoint } } } },
  exporters: {
    otlp_http: {
      endpoint: target,
      encoding: 'json',
      compression: 'none',
      // Queues and retries would answer before the target has.
      sending_queue: { enabled: false },
      retry_on_failure: { enabled: false },
    },
  },
  service: {
    // Its own metrics would be served on a fixed port.
    telemetry: { metrics: { level: 'none' } },
    pipelines: { logs: { receivers: ['otlp'], exporters: ['otlp_http'] } },
  },
});
