/** Sends alerts from a bus until it is killed: BUS URL FAILPOINT. */
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { SinkRunner } from '../src/delivery/sink-runner.ts';
import { openSink } from '../src/settings/load.ts';
import { sinkOf } from './support.ts';

const [path = '', url = '', at = ''] = process.argv.slice(2);
const bus = await openEmbeddedBus({ path });
const config = sinkOf(`{sink: hook, type: webhook, url: '${url}', batch: 10}`);
let passed = 0;
await SinkRunner.start({
  bus,
  config,
  sink: openSink(config, silentLog),
  trusted: null,
  trail: null,
  log: silentLog,
  failpoint(name) {
    // The third batch: the first two have moved the position.
    if (name === at && ++passed === 3) process.kill(process.pid, 'SIGKILL');
  },
});
process.send?.('ready');
