/** A registrar that kills itself at a failpoint. Arguments: directory, failpoint. Prints its URL and a token. */
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { openAuthority } from '@ringfence/identity';
import { startRegistrar } from '../src/index.ts';

const [directory = '', point] = process.argv.slice(2);
const registrar = await startRegistrar({
  options: { port: 0, names: ['127.0.0.1'] },
  bus: await openEmbeddedBus({ path: join(directory, 'bus.db') }),
  ca: await openAuthority(join(directory, 'ca')),
  log: silentLog,
  failpoint: (name) => {
    if (name === point) process.kill(process.pid, 'SIGKILL');
  },
});
console.log(`${registrar.url} ${registrar.createToken({ roles: ['agent'] })}`);
