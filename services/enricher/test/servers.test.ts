/** Processes that listen are servers for the processes that they start. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createSyntheticHost } from '@ringfence/synthetic';
import { fieldsOfExecs } from './support.ts';

test('a process that listens is a server for what it starts, and so are its forks; an exec ends that', () => {
  const host = createSyntheticHost();
  const loopback = Buffer.from([127, 0, 0, 1]);
  host.listen(host.init, 22);
  const server = host.spawn(host.init, '/usr/bin/python3');
  host.exec(host.fork(server), '/bin/before');
  host.listen(server, 8000);
  host.listen(server, 9000, loopback);
  host.exec(host.fork(server), '/bin/after');
  const worker = host.fork(server);
  const shell = host.fork(worker);
  host.exec(shell, '/bin/sh');
  host.exec(host.fork(shell), '/bin/below');
  const debugged = host.spawn(host.init, '/usr/bin/node');
  const mapped = Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), loopback]);
  for (const address of [loopback, mapped, Buffer.concat([Buffer.alloc(15), Buffer.of(1)])])
    host.listen(debugged, 9229, address);
  host.exec(host.fork(debugged), '/bin/local');
  host.exec(worker, '/bin/other');
  host.exec(host.fork(worker), '/bin/last');
  const fields = ['process.name', 'process.parent.server.port', 'process.parent.server.local_port'];
  assert.deepEqual(fieldsOfExecs(host, [...fields, 'process.ancestors.serving']), [
    ['python3', undefined, undefined, undefined],
    ['before', undefined, undefined, undefined],
    ['after', 8000, 9000, ['/usr/bin/python3']],
    ['sh', 8000, 9000, ['/usr/bin/python3', '/usr/bin/python3']],
    ['below', undefined, undefined, ['/usr/bin/python3', '/usr/bin/python3']],
    ['node', undefined, undefined, undefined],
    ['local', undefined, 9229, undefined],
    ['other', 8000, 9000, ['/usr/bin/python3']],
    ['last', undefined, undefined, ['/usr/bin/python3']],
  ]);
});
