/** The far side of each kind of sink, for the examples of docs/SINKS.md. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  alertmanagerMissing,
  collectorMissing,
  elasticsearchMissing,
  kafkaMissing,
  rsyslogMissing,
  s3Missing,
  sharedElasticsearch,
  startAlertmanager,
  startCollector,
  startRsyslog,
  startS3,
  startVictoriaLogs,
  victoriaLogsMissing,
} from '@ringfence/dev-servers';
import { createTestCa, startSmtpServer } from '@ringfence/dev-servers/in-process';
import { Azure } from '../kinds/azure-server.ts';
import { accepts } from '../kinds/falco-receiver.ts';
import { startJira } from '../kinds/jira-server.ts';
import { accountFile, SecOps } from '../kinds/secops-server.ts';
import { startSlack } from '../kinds/slack-server.ts';
import { startTheHive } from '../kinds/thehive-server.ts';
import { startReceiver } from '../support.ts';
import type { FarSide, FarSideOfKind } from './far-side.ts';
import { startKafkaOfPage } from './kafka.ts';

const receiving = (
  lines: (url: string) => Partial<FarSide>,
  answer?: Parameters<typeof startReceiver>[0],
): FarSideOfKind => ({
  async start({ stack }) {
    const receiver = stack.use(await startReceiver(answer));
    return { lines: {}, arrived: () => receiver.received.length > 0, ...lines(receiver.url) };
  },
});

const hasTest = (text: string): boolean => text.includes('Test of a sink') || text.includes('ringfence sinks test');

/** Splunk answers with the id of an acknowledgement, and acknowledges at the next question. */
const acknowledged = ({ path }: { readonly path: string }): { status: number; body: object } => ({
  status: 200,
  body: path.endsWith('/ack') ? { acks: { 0: true } } : { text: 'Success', code: 0, ackId: 0 },
});

export const FAR_SIDES: Readonly<Record<string, FarSideOfKind>> = {
  alertmanager: {
    missing: alertmanagerMissing,
    async start({ stack }) {
      const { url } = stack.use(await startAlertmanager());
      const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
      return {
        lines: { url },
        arrived: async () => /^alertmanager_alerts_received_total{[^}]*firing[^}]*} [1-9]/m.test(await metrics()),
      };
    },
  },
  azure: {
    async start({ stack }) {
      const far = new Azure(`dcr-${'0'.repeat(32)}`);
      const { url } = stack.use(await startReceiver(far.answer));
      return { lines: { url, login: url }, arrived: () => far.rows.length > 0 };
    },
  },
  elasticsearch: {
    missing: elasticsearchMissing,
    async start() {
      const { url } = await sharedElasticsearch();
      const index = `logs-sinkpage${process.pid}`;
      const search = async (): Promise<string> => {
        await fetch(`${url}/${index}/_refresh`, { method: 'POST' });
        return (await fetch(`${url}/${index}/_search`)).text();
      };
      return { lines: { url, index, ca: '' }, arrived: async () => hasTest(await search()) };
    },
  },
  email: {
    async start({ stack, folder }) {
      const ca = await createTestCa();
      writeFileSync(join(folder, 'ca.pem'), ca.certificate);
      const certificate = await ca.issue('localhost');
      const server = stack.use(await startSmtpServer({ certificate, users: { ringfence: 'the-secret' } }));
      return {
        lines: { url: `starttls://localhost:${server.port}`, ca: join(folder, 'ca.pem') },
        arrived: () => server.mails.length > 0 && server.mails.every(({ user }) => user === 'ringfence'),
      };
    },
  },
  falco: receiving((url) => ({ lines: { url } }), accepts),
  jira: {
    async start({ stack }) {
      const jira = stack.use(
        await startJira({ user: 'ringfence@example.com', ways: { done: 'Resolve', new: 'Reopen' } }),
      );
      return {
        lines: { url: jira.url },
        secrets: { jira: 'ATATT1' },
        arrived: () => jira.issues.length === 1 && jira.issues[0]?.status === 'done',
      };
    },
  },
  kafka: {
    missing: kafkaMissing,
    start: ({ stack, folder }) => startKafkaOfPage(stack, folder),
  },
  loki: {
    missing: victoriaLogsMissing,
    async start({ stack }) {
      const logs = stack.use(await startVictoriaLogs());
      return {
        // VictoriaLogs has numbers for tenants.
        lines: { url: `${logs.url}/insert`, tenant: '"0"' },
        arrived: async () => hasTest(JSON.stringify(await logs.query('*'))),
      };
    },
  },
  otlp: {
    missing: collectorMissing,
    async start({ stack }) {
      const target = stack.use(await startReceiver());
      const { url } = stack.use(await startCollector(target.url));
      return { lines: { url }, arrived: () => hasTest(target.received[0]?.body ?? '') };
    },
  },
  pagerduty: receiving(
    (url) => ({ lines: { url } }),
    () => ({ status: 202, body: { status: 'success' } }),
  ),
  s3: {
    missing: s3Missing,
    async start({ stack }) {
      const server = stack.use(await startS3());
      const keys = { 's3-access-key': server.accessKey, 's3-secret-key': server.secretKey };
      return {
        lines: { url: server.url, region: server.region },
        secrets: keys,
        arrived: () => server.objects().some((name) => /^ext\/ringfence\/1\.0\/.*\.parquet$/.test(name)),
      };
    },
  },
  secops: {
    async start({ stack, folder }) {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const far = new SecOps(publicKey);
      const { url } = stack.use(await startReceiver(far.answer));
      far.url = url;
      const credentials = join(folder, 'secops.json');
      writeFileSync(credentials, accountFile(url, privateKey), { mode: 0o600 });
      return { lines: { url, credentials }, arrived: () => far.entries.length > 0 };
    },
  },
  slack: {
    async start({ stack, index }) {
      if (index === 0) {
        const slack = stack.use(await startSlack());
        return {
          lines: { url: `${slack.url}/api` },
          secrets: { slack: 'xoxb-1' },
          arrived: () => slack.messages.length > 0,
        };
      }
      const receiver = stack.use(await startReceiver(() => ({ status: 200, body: 'ok' })));
      const secrets = { SLACK_WEBHOOK: `${receiver.url}/services/T/B/x` };
      return { lines: {}, secrets, arrived: () => receiver.received.length > 0 };
    },
  },
  splunk: receiving((url) => ({ lines: { url } }), acknowledged),
  syslog: {
    missing: rsyslogMissing,
    async start({ stack }) {
      const server = stack.use(await startRsyslog());
      return {
        lines: { url: `relps://127.0.0.1:${server.ports.relps}`, ca: server.caFile },
        arrived: () => server.messages().some(({ msg = '' }) => msg.includes('LEEF:2.0') && hasTest(msg)),
      };
    },
  },
  teams: receiving(
    (url) => ({ secrets: { teams: `${url}/workflows/1/invoke?sig=s` } }),
    () => ({ status: 202, body: '' }),
  ),
  thehive: {
    async start({ stack }) {
      const hive = stack.use(await startTheHive());
      return {
        lines: { url: hive.url },
        secrets: { thehive: 'k3y' },
        arrived: () => hive.alerts[0]?.['status'] === 'Ignored',
      };
    },
  },
  webhook: {
    async start({ stack }) {
      const receiver = stack.use(await startReceiver());
      return {
        lines: { url: `${receiver.url}/ringfence` },
        arrived: () => {
          const [request] = receiver.received;
          assert.match(String(request?.headers['webhook-signature']), /^v1,/);
          return hasTest(request?.body ?? '');
        },
      };
    },
  },
};
