import { startKafka } from '../src/kafka.ts';
import { startRedis } from '../src/redis.ts';

await using redis = await startRedis();
await using kafka = await startKafka();
process.stdout.write(`${JSON.stringify([redis.pid, kafka.brokers[0]?.pid])}\n`);
await new Promise((resolve) => setTimeout(resolve, 600_000));
