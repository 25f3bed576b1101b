/** `SOURCE COMMAND…`: in namespaces of its own, prints what the source tells at the start and by a tick after each command. */
import { execSync } from 'node:child_process';
import type { ContextSink } from '@ringfence/host-kit';
import { hostSource } from '../../src/context/host.ts';
import { mountsSource } from '../../src/context/mounts.ts';

const [which, ...commands] = process.argv.slice(2);
execSync(
  'ip link add ringfence0 type veth peer name ringfence1 && ip link set ringfence0 up && ip link set ringfence1 up',
);
const told: unknown[] = [];
const sink = {
  host: (fact: unknown) => told.push(fact),
  mount: (mount: { point: Buffer; source: Buffer }) =>
    told.push({ ...mount, point: mount.point.toString(), source: mount.source.toString() }),
} as unknown as ContextSink;
const source = which === 'host' ? hostSource() : mountsSource();
source.start(sink);
for (const command of commands) {
  execSync(command);
  source.tick();
}
source.close();
process.stdout.write(JSON.stringify(told));
