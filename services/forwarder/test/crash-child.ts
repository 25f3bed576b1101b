/** Sends records from a bus until it is killed at the nth pass of a failpoint: BUS SINK FAILPOINT N. */
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { SinkRunner } from '../src/delivery/sink-runner.ts';
import { openSink } from '../src/settings/load.ts';
import { sinkOf } from './support.ts';

const [path = '', text = '', at = '', nth = ''] = process.argv.slice(2);
const bus = await openEmbeddedBus({ path });
const config = sinkOf(text);
let passed = 0;
await SinkRunner.start({
  bus,
  config,
  sink: openSink(config, silentLog),
  trusted: null,
  trail: null,
  log: silentLog,
  failpoint(name) {
    if (name === at && ++passed === Number(nth)) process.kill(process.pid, 'SIGKILL');
  },
});
process.send?.('ready');
