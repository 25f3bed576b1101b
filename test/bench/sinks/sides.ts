/** Far sides of sinks, with the settings of a sink for each. */
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openKafkaBus } from '@ringfence/bus-kafka';
import {
  alertmanagerMissing,
  elasticsearchMissing,
  kafkaMissing,
  rsyslogMissing,
  s3Missing,
  startAlertmanager,
  startElasticsearch,
  startKafka,
  startRsyslog,
  startS3,
  startVictoriaLogs,
  victoriaLogsMissing,
} from '@ringfence/dev-servers';
import { createTestCa, startSmtpServer } from '@ringfence/dev-servers/in-process';

export interface Side {
  readonly name: string;
  /** Settings besides the name of the sink, in YAML's flow style without braces */
  readonly settings: string;
  /** Number of records that are there. @default what the sink counts as confirmed */
  readonly arrived?: () => number;
  /** Gets incidents: versions of one ticket each. */
  readonly tickets?: boolean;
}

/** Sides of one server, which is started for them alone. */
export interface Sides {
  readonly server: string;
  readonly missing: () => string | undefined;
  start(stack: AsyncDisposableStack, dir: string): Promise<readonly Side[]>;
}

const SECRET = 'RF_BENCH_SINK';
process.env[SECRET] = 'a-secret-of-the-bench';
const NEVER = (): undefined => undefined;

/** A server of ours, which reads requests and confirms them. */
export interface Counter {
  readonly server: Server;
  readonly url: string;
  /** Elements of the lists in the requests to `/` */
  readonly records: () => number;
}

export async function startCounter(status = 200, answer = ''): Promise<Counter> {
  let records = 0;
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    if (incoming.url === '/') records += (JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown[]).length;
    const isToken = incoming.url?.endsWith('/token') === true;
    response.writeHead(isToken ? 200 : status, { 'content-type': 'application/json' });
    response.end(isToken ? '{"access_token":"t","expires_in":3599,"token_type":"Bearer"}' : answer);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, records: () => records };
}

const ours: Sides = {
  server: 'a server of the bench',
  missing: NEVER,
  async start(stack) {
    const counter = async (status?: number, answer?: string): Promise<Counter> => {
      const started = await startCounter(status, answer);
      stack.defer(() => void started.server.close());
      return started;
    };
    const [hook, accepts, nothing, ok] = [
      await counter(),
      await counter(202, '{"status":"success"}'),
      await counter(204),
      await counter(200, 'ok'),
    ];
    const ids = 'tenant: 00000000-0000-4000-8000-000000000001, client: 00000000-0000-4000-8000-000000000002';
    process.env['RF_BENCH_SLACK'] = `${ok.url}services/x`;
    process.env['RF_BENCH_TEAMS'] = `${accepts.url}workflows/x`;
    return [
      { name: 'webhook', settings: `type: webhook, url: '${hook.url}'`, arrived: hook.records },
      { name: 'falco', settings: `type: falco, url: '${ok.url}falco'` },
      {
        name: 'azure',
        settings: `type: azure, url: '${nothing.url}', login: '${nothing.url}', rule: dcr-${'0'.repeat(32)}, ${ids}, secret: env:${SECRET}`,
      },
      {
        name: 'pagerduty',
        settings: `type: pagerduty, url: '${accepts.url}', routingKey: env:${SECRET}`,
        tickets: true,
      },
      { name: 'slack', settings: 'type: slack, to: {webhook: env:RF_BENCH_SLACK}', tickets: true },
      { name: 'teams', settings: 'type: teams, webhook: env:RF_BENCH_TEAMS', tickets: true },
    ];
  },
};

const rsyslog: Sides = {
  server: 'rsyslog',
  missing: rsyslogMissing,
  async start(stack) {
    const { ports, received, caFile } = stack.use(await startRsyslog());
    return (['relp', 'relps', 'tls'] as const).map((scheme) => ({
      name: `syslog by ${scheme}`,
      settings: `type: syslog, url: '${scheme}://127.0.0.1:${ports[scheme]}'${scheme === 'relp' ? '' : `, ca: ${caFile}`}`,
      arrived: received,
    }));
  },
};

const victoriaLogs: Sides = {
  server: 'VictoriaLogs',
  missing: victoriaLogsMissing,
  async start(stack) {
    const { url } = stack.use(await startVictoriaLogs());
    return [
      { name: 'splunk', settings: `type: splunk, url: '${url}', token: env:${SECRET}` },
      { name: 'loki', settings: `type: loki, url: '${url}/insert'` },
      { name: 'otlp', settings: `type: otlp, url: '${url}/insert/opentelemetry'` },
    ];
  },
};

const elasticsearch: Sides = {
  server: 'Elasticsearch',
  missing: elasticsearchMissing,
  async start(stack) {
    const { url } = stack.use(await startElasticsearch({ optimized: true }));
    return [{ name: 'elasticsearch', settings: `type: elasticsearch, url: '${url}', index: bench` }];
  },
};

const kafka: Sides = {
  server: 'Kafka',
  missing: kafkaMissing,
  async start(stack) {
    const { bootstrap } = stack.use(await startKafka({ optimized: true }));
    await using bus = await openKafkaBus({ brokers: bootstrap });
    await bus.ensureTopics([
      { name: 'sink', partitions: 3, retentionMs: 86_400_000, retentionBytes: 2 ** 30, compacted: false },
    ]);
    return [{ name: 'kafka', settings: `type: kafka, brokers: ['${bootstrap[0]}'], topic: sink, tls: false` }];
  },
};

const s3: Sides = {
  server: 'gofakes3',
  missing: s3Missing,
  async start(stack) {
    const { url, region, accessKey, secretKey } = stack.use(await startS3());
    process.env['RF_BENCH_S3_ACCESS'] = accessKey;
    process.env['RF_BENCH_S3_SECRET'] = secretKey;
    const keys = 'accessKey: env:RF_BENCH_S3_ACCESS, secretKey: env:RF_BENCH_S3_SECRET';
    // Its default collects records for five minutes.
    return [
      { name: 's3', settings: `type: s3, url: '${url}', region: ${region}, ${keys}, send: [alerts], digest: 1s` },
    ];
  },
};

const alertmanager: Sides = {
  server: 'Alertmanager',
  missing: alertmanagerMissing,
  async start(stack) {
    const { url } = stack.use(await startAlertmanager());
    return [{ name: 'alertmanager', settings: `type: alertmanager, url: '${url}'`, tickets: true }];
  },
};

const smtp: Sides = {
  server: 'smtp-server',
  missing: NEVER,
  async start(stack, dir) {
    const ca = await createTestCa();
    const path = join(dir, 'mail-ca.pem');
    writeFileSync(path, ca.certificate);
    const { port } = stack.use(await startSmtpServer({ certificate: await ca.issue('localhost') }));
    const addresses = 'from: ringfence@x.example, to: [soc@x.example]';
    return [
      {
        name: 'email',
        settings: `type: email, url: 'starttls://localhost:${port}', ca: ${path}, ${addresses}`,
        tickets: true,
      },
    ];
  },
};

export const SIDES: readonly Sides[] = [ours, rsyslog, victoriaLogs, elasticsearch, kafka, s3, alertmanager, smtp];
