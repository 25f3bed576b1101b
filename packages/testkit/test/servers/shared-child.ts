import { sharedKafka, sharedRedis } from '../../src/servers/index.ts';

process.stdout.write(JSON.stringify(process.argv[2] === 'kafka' ? await sharedKafka() : await sharedRedis()));
