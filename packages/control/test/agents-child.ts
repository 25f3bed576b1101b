/** Holds so many agents' streams: argv: directory of the authority, port of the responder, number. Says `ready`, and `executed n` when it ends. */
import { randomUUID } from 'node:crypto';
import { createRequest, openAuthority, type TlsSource } from '@ringfence/identity';
import { connectControl } from '../src/index.ts';
import { silent, TestAgent } from './support.ts';

const [directory = '', port = '', count = ''] = process.argv.slice(2);
const ca = await openAuthority(directory);
const agents = Array.from({ length: Number(count) }, () => new TestAgent(randomUUID()));
const links = await Promise.all(
  agents.map(async (control) => {
    const { key, csr } = await createRequest(control.hostId);
    const { certificate } = await ca.issue({ csr, subject: control.hostId, roles: ['agent'], days: 1 });
    const material = { certificate, key, authority: ca.certificate };
    const tls: TlsSource = { current: () => material, onChange: () => ({ [Symbol.dispose]() {} }) };
    const endpoints = [`localhost:${port}`];
    return connectControl({ endpoints, tls, control, bootId: 'b', agentVersion: '1', log: silent, backoffMs: 100 });
  }),
);
console.log('ready');
process.stdin.resume().once('end', async () => {
  console.log(`executed ${agents.reduce((sum, { executed }) => sum + executed.length, 0)}`);
  await Promise.all(links.map((link) => link.close()));
  process.exit(0);
});
