/**
 * Runs the streams of many agents. Arguments: a file with their certificates, the responder's port. Prints `ready`, and
 * `executed n` at the end.
 */

import { readFileSync } from 'node:fs';
import { silentLog } from '@ringfence/base';
import { FleetStanding, type TlsMaterial, type TlsSource } from '@ringfence/identity';
import { createSigningKey } from '@ringfence/wire';
import { connectControl } from '../src/index.ts';
import { TestAgent } from './support.ts';

const [file = '', port = ''] = process.argv.slice(2);
const agents: TestAgent[] = [];
const root = createSigningKey().publicKey;
const links = (JSON.parse(readFileSync(file, 'utf8')) as [string, TlsMaterial][]).map(([hostId, material]) => {
  const control = new TestAgent(hostId);
  agents.push(control);
  const tls: TlsSource = { current: () => material, onChange: () => ({ [Symbol.dispose]() {} }) };
  const standing = new FleetStanding(root);
  standing.markUnsupported();
  const base = { tls, control, standing, trusted: { add() {} }, bootId: 'b', agentVersion: '1', log: silentLog };
  return connectControl({ ...base, endpoints: [`localhost:${port}`], backoffMs: 100 });
});
console.log('ready');
process.stdin.resume().once('end', async () => {
  console.log(`executed ${agents.reduce((sum, { executed }) => sum + executed.length, 0)}`);
  await Promise.all(links.map((link) => link.close()));
  process.exit(0);
});
