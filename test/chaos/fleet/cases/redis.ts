import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCase } from '../lib/case.ts';

const lost: ChaosCase = {
  name: 'redis-killed-flushed',
  title: 'Redis is killed and comes back, and is emptied, while kills are on their way',
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
  title: 'Redis wants a password that nobody has, and cuts everybody off',
  async run({ servers: { redis }, redisProxy }, { pick }) {
    await tell(redis.port, 'CONFIG SET requirepass chaos');
    redisProxy.cut();
    await sleep(pick(8000, 60_000));
    await tell(redis.port, 'AUTH chaos', 'CONFIG SET requirepass ""');
  },
};

/** @throws Error with what it refused */
function tell(port: number, ...lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${[...lines, 'QUIT'].join('\r\n')}\r\n`));
    socket.on('data', (part) => {
      answer += part;
    });
    socket.once('error', reject);
    socket.once('close', () => (/^-/m.test(answer) ? reject(new Error(`Redis said ${answer}`)) : resolve()));
  });
}

export const redisCases: readonly ChaosCase[] = [lost, password];
