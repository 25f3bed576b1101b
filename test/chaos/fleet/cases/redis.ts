import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCase } from '../lib/case.ts';

const killed: ChaosCase = {
  name: 'redis-killed-flushed',
  title: 'Redis is killed, restarted and flushed while kill commands are in flight',
  async run({ servers: { redis } }, { pick }) {
    for (let n = 0; n < pick(2, 20); n++) {
      await redis.stop('SIGKILL');
      await sleep(Math.random() * 2000);
      await redis.start();
      await sleep(Math.random() * 2000);
      await redis.flush();
      await sleep(Math.random() * 1000);
    }
  },
};

const password: ChaosCase = {
  name: 'wrong-password',
  title: 'Redis requires an unknown password and drops every connection',
  async run({ servers: { redis }, redisProxy }, { pick }) {
    await sendCommands(redis.port, 'CONFIG SET requirepass chaos');
    redisProxy.cut();
    await sleep(pick(8000, 60_000));
    await sendCommands(redis.port, 'AUTH chaos', 'CONFIG SET requirepass ""');
  },
};

/** Sends commands to Redis. @throws Error with the reply if Redis refuses a command */
function sendCommands(port: number, ...lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${[...lines, 'QUIT'].join('\r\n')}\r\n`));
    socket.on('data', (part) => {
      reply += part;
    });
    socket.once('error', reject);
    socket.once('close', () => (/^-/m.test(reply) ? reject(new Error(`Redis replied ${reply}`)) : resolve()));
  });
}

export const redisCases: readonly ChaosCase[] = [killed, password];
