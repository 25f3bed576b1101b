import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { goModule, goProgram, goProgramMissing } from './go-program.ts';
import { reservePorts } from './ports.ts';
import { answersOk } from './probe.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

const PROGRAM = goModule('victoria-logs', 'github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1', 26);
/** Tests write at fixed times, which must be neither too old nor too far in the future. */
const LIMITS = ['-retentionPeriod=100y', '-futureRetention=100y'];

export interface VictoriaLogs extends RunningServer, AsyncDisposable {
  /** http://127.0.0.1:port; it takes what Splunk, Loki, Elasticsearch and OTLP clients send. */
  readonly url: string;
  /** Returns the entries that match a LogsQL query, as far as they were received. */
  query(text: string): Promise<Readonly<Record<string, string>>[]>;
}

/** Returns the reason why VictoriaLogs can't be started; undefined when it can. */
export const victoriaLogsMissing = (): string | undefined => goProgramMissing(PROGRAM);

/** Starts VictoriaLogs on a free port of 127.0.0.1. */
export async function startVictoriaLogs(): Promise<VictoriaLogs> {
  const program = await goProgram(PROGRAM);
  await using undo = new AsyncDisposableStack();
  const [port] = undo.use(await reservePorts(1)).ports;
  const directory = undo.adopt(createWorkplace('victoria-logs'), removeWorkplace);
  mkdirSync(join(directory, 'data'));
  const url = `http://127.0.0.1:${port}`;
  const places = [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${join(directory, 'data')}`];
  const server = new ServerProcess({
    title: 'VictoriaLogs',
    command: [program, ...places, ...LIMITS],
    log: join(directory, 'log'),
    isReady: () => answersOk(`${url}/health`),
  });
  undo.defer(() => server.remove());
  await server.start();
  const started = undo.move();
  return withControls(server, {
    url,
    query: (text: string) => query(url, text),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}

async function query(url: string, text: string): Promise<Readonly<Record<string, string>>[]> {
  await fetch(`${url}/internal/force_flush`);
  const response = await fetch(`${url}/select/logsql/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: text }),
  });
  const lines = (await response.text()).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
}
