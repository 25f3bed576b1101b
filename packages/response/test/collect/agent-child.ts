/** An agent that collects the memory of a stopped process: `agent-child.ts STORE PID`. It prints its plan's inverse. */
import { createSigningKey } from '@ringfence/wire';
import { collectKind } from '../../src/collect/collect.ts';
import { EvidenceStore } from '../../src/collect/store.ts';
import { findProcess } from './lab.ts';

const [directory = '', pid = ''] = process.argv.slice(2);
const store = new EvidenceStore({ directory, key: createSigningKey(), maxBytes: 2 ** 40 });
const orderOf = () => ({ who: 'responder-1', why: 'a test' });
const kind = collectKind({ store, find: findProcess, isProtected: () => null, orderOf });
const start = String(findProcess(Number(pid))?.start);
const parameters = kind.parameters.parse({ what: 'memory', pid, start, freeze: 'true' });
const plan = await kind.plan(parameters, { id: 'command-1', until: 0 });
console.log(JSON.stringify(plan.inverse));
await kind.apply(plan, new AbortController().signal);
