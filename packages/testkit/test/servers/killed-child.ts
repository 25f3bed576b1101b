import { startKafka, startRedis } from '../../src/servers/index.ts';

await using redis = await startRedis();
await using kafka = await startKafka();
process.stdout.write(`${JSON.stringify([redis.pid, kafka.brokers[0]?.pid])}\n`);
await new Promise((resolve) => setTimeout(resolve, 600_000));
