import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { type KafkaTool, runKafkaTool, startKafka } from '@ringfence/dev-servers';
import type { FarSide } from './far-side.ts';
import { blocksOfPage } from './page.ts';

/** Starts a Kafka with passwords over TLS, and runs the commands of the page, with the rights of an administrator. */
export async function startKafkaOfPage(stack: AsyncDisposableStack, folder: string): Promise<FarSide> {
  const kafka = stack.use(await startKafka({ security: 'sasl-tls', users: { ringfence: 'the-secret' } }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const ca = file('ca.pem', kafka.ca!.certificate);
  const [address = ''] = kafka.bootstrap;
  const login =
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="admin-secret";';
  const admin = file(
    'admin.properties',
    `security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=${login}\nssl.truststore.type=PEM\nssl.truststore.location=${ca}\n`,
  );
  const [block] = blocksOfPage().filter(({ section, language }) => section === 'kafka' && language === 'sh');
  for (const line of block!.text.trim().split('\n')) {
    const [tool = '', ...args] = line.replace(/--bootstrap-server \S+/, `--bootstrap-server ${address}`).split(' ');
    await runKafkaTool(tool as KafkaTool, [...args, '--command-config', admin]);
  }
  const sasl = { mechanism: 'plain', username: 'admin', password: 'admin-secret' } as const;
  const bus = stack.use(await openKafkaBus({ brokers: kafka.bootstrap, tls: { ca }, sasl }));
  return {
    lines: { brokers: `[${address}]`, ca },
    arrived: async () => (await Array.fromAsync(bus.read({ topic: 'ringfence' }))).length > 0,
  };
}
