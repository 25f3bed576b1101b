import { join } from 'node:path';
import { goProgram, goProgramMissing, goSource } from './go-program.ts';
import { reservePorts } from './ports.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

const PROGRAM = goSource('collector', 26);

/** Queues and retries would answer before the target has. */
const UNQUEUED = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } };
const GO_ISO_TIME = '2006-01-02T15:04:05.000Z';

interface Config {
  readonly receivers: object;
  readonly exporters: object;
  readonly pipelines: object;
}

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
export const startCollector = (target: string): Promise<Collector> =>
  start((endpoint) => ({
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { otlp_http: { endpoint: target, encoding: 'json', compression: 'none', ...UNQUEUED } },
    pipelines: { logs: { receivers: ['otlp'], exporters: ['otlp_http'] } },
  }));

export interface ShipperOptions {
  readonly file: string;
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Key of the records */
  readonly hostId: string;
  /** Fields of each document, such as log_type */
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * Starts a collector that sends each line of a file to a topic, as a document in the format of Filebeat. Its Kafka
 * exporter takes the key of a record from a header of a request only, so lines go through its own OTLP receiver.
 */
export const startLogShipper = ({ file, brokers, topic, hostId, fields }: ShipperOptions): Promise<Collector> =>
  start((endpoint) => ({
    receivers: {
      filelog: {
        include: [file],
        start_at: 'beginning',
        include_file_path: true,
        include_file_record_offset: true,
        operators: [
          { type: 'move', from: 'body', to: 'attributes.message' },
          { type: 'move', from: 'attributes.message', to: 'body.message' },
          { type: 'move', from: 'attributes["log.file.path"]', to: 'body.log.file.path' },
          { type: 'move', from: 'attributes["log.file.record_offset"]', to: 'body.log.offset' },
          { type: 'add', field: 'body["@timestamp"]', value: `EXPR(now().UTC().Format("${GO_ISO_TIME}"))` },
          ...Object.entries(fields).map(([name, value]) => ({ type: 'add', field: `body.${name}`, value })),
        ],
      },
      otlp: { protocols: { http: { endpoint, include_metadata: true } } },
    },
    exporters: {
      otlp_http: { endpoint: `http://${endpoint}`, headers: { 'host-id': hostId }, ...UNQUEUED },
      kafka: {
        brokers,
        logs: { topic, encoding: 'raw', message_key_from_metadata_key: 'host-id' },
        producer: { required_acks: -1 },
        ...UNQUEUED,
      },
    },
    pipelines: {
      'logs/files': { receivers: ['filelog'], exporters: ['otlp_http'] },
      'logs/topic': { receivers: ['otlp'], exporters: ['kafka'] },
    },
  }));

async function start(configOf: (endpoint: string) => Config): Promise<Collector> {
  const program = await goProgram(PROGRAM);
  await using undo = new AsyncDisposableStack();
  const [port] = undo.use(await reservePorts(1)).ports;
  const directory = undo.adopt(createWorkplace('collector'), removeWorkplace);
  const { pipelines, ...parts } = configOf(`127.0.0.1:${port}`);
  // Its own metrics would be served on a fixed port.
  const config = { ...parts, service: { telemetry: { metrics: { level: 'none' } }, pipelines } };
  const server = new ServerProcess({
    title: 'OpenTelemetry collector',
    command: [program, '--config', `yaml:${JSON.stringify(config)}`],
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
