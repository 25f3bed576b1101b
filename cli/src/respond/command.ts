import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { OperatorError, paintFor } from '@ringfence/base';
import { kernelDevice } from '@ringfence/host-kit';
import type { Response } from '@ringfence/runtime/client';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { actionClientOf, print, printJson, repeatable, withReason, withSettings } from '../shared/context.ts';
import { durationMs } from '../shared/times.ts';
import { panic } from './panic.ts';
import { responseLines } from './view.ts';

export function addRespond(program: Command): void {
  const respond = program.command('respond').description(DESCRIPTIONS.respond);
  addAct(respond, 'plan', 'list what an action would change, and change nothing');
  addAct(respond, 'run', 'carry out an action, and wait for its result');
  addUndo(respond);
  addPanic(respond);
}

/** Options that are parameters of an action. */
const NETWORK = ['address', 'port', 'domain', 'allow', 'resolve'];

const TARGETS = `
About processes (kill, suspend), with --reach tree, session or cgroup:
  --incident ID                all processes of the incident's alerts; with --pid or --alert, one of them
  --pid PID [--host ID]        a process of this host, or of another

About the network (block, isolate), of the whole host, or with --pid of the cgroup of a process:
  --address NETWORK [--port]   what to block: 203.0.113.7 or 2001:db8::/32
  --domain DOMAIN              or a domain, with those below it
  --allow NETWORKS             what an isolated host reaches still; --resolve DOMAINS: what it can look up

Examples:
  ringfence respond plan kill --incident inc-0123456789abcdef
  ringfence respond run kill --pid 4711 --reason "miner, case 4711"
  ringfence respond run suspend --pid 4711 --reach cgroup --for 30m --reason "look at it first"
  ringfence respond run block --address 203.0.113.7 --for 1h --reason "case 4711"
  ringfence respond run isolate --pid 4711 --allow 192.0.2.0/24 --reason "case 4711"
  ringfence respond run quarantine --file /tmp/.x/miner --reason "case 4711"
  ringfence respond undo 0f3a9c5b7d2e4f60a1b2c3d4e5f60718 --reason "false alarm"

docs/RESPONSE.md has a page for each action.
Exit codes: 0 carried out or planned, 1 refused, failed or unanswered.
`;

function addAct(respond: Command, operation: 'plan' | 'run', description: string): void {
  const command = respond
    .command(operation)
    .argument('<action>', 'kill, suspend, block, isolate, quarantine, revert, lock or collect')
    .description(description)
    .option('--incident <id>', 'the incident to act on')
    .option('--alert <id>', 'only the process of this alert of the incident')
    .option('--pid <pid>', 'the process')
    .option('--host <id>', 'the host (default: that of the incident, else this one)')
    .option('--reach <reach>', 'tree, session, cgroup or process (default: tree)')
    .option('--for <duration>', 'take it back after this time, such as 30m (default: it lasts)')
    .option(
      '--file <path>',
      'a file of this host: gives path, device and inode of quarantine, or the path of the others',
    )
    .option('--address <network>', 'the address or network of a block')
    .option('--port <port>', 'only this port of it')
    .option('--domain <domain>', 'the domain of a block')
    .option('--allow <networks>', 'what an isolation lets through, with commas')
    .option('--resolve <domains>', 'the domains that it lets be resolved, with commas')
    .option('--parameter <name=value>', 'parameter of the action (repeatable)', repeatable)
    .option('--json', 'print one JSON array')
    .addHelpText('after', TARGETS);
  withSettings(withReason(command)).action(async (action: string, _, self: Command) => {
    await send(self, operation, queryOf(self, action));
  });
}

/** A quarantine is of one inode, whatever its path leads to later. */
function fileParameters(action: string, file: string): string[] {
  const path = resolve(file);
  if (action !== 'quarantine') return [`path=${path}`];
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat?.isFile() !== true) throw new OperatorError(`--file ${file}: expected a regular file, and no link to one`);
  return [`path=${path}`, `device=${kernelDevice(stat.dev)}`, `inode=${stat.ino}`];
}

interface ActOptions {
  readonly file?: string;
  readonly for?: string;
  readonly parameter?: readonly string[];
  readonly reason?: string;
  readonly [name: string]: unknown;
}

function queryOf(self: Command, action: string): URLSearchParams {
  const options = self.opts<ActOptions>();
  const query = new URLSearchParams({ action });
  for (const name of ['incident', 'alert', 'pid', 'host', 'reach'])
    if (typeof options[name] === 'string') query.set(name, options[name]);
  if (options.for !== undefined) query.set('for', String(durationMs('--for', options.for) / 1000));
  const named = [
    ...NETWORK.flatMap((name) => (typeof options[name] === 'string' ? [`${name}=${options[name]}`] : [])),
    ...(options.file === undefined ? [] : fileParameters(action, options.file)),
    ...(options.parameter ?? []),
  ];
  for (const parameter of named) query.append('parameter', parameter);
  if (options.reason !== undefined) query.set('note', options.reason);
  return query;
}

async function send(self: Command, operation: 'plan' | 'run', query: URLSearchParams): Promise<void> {
  const responses = await actionClientOf(self).json<Response[]>(`/respond/${operation}?${query}`);
  if (self.opts<{ json?: boolean }>().json) printJson(responses, 2);
  else print(responseLines(paintFor(process.stdout), responses).join('\n'));
  if (responses.some(({ outcome }) => !['executed', 'planned', 'gone'].includes(outcome))) process.exitCode = 1;
}

function addUndo(respond: Command): void {
  const undo = respond
    .command('undo')
    .argument('<id>', 'id of the command, or of an incident: then everything is taken back, the newest first')
    .description('take back an action, or all actions of an incident')
    .option('--host <id>', 'the host of the command (default: this one)')
    .option('--json', 'print one JSON array');
  withSettings(withReason(undo)).action(async (id: string, _, self: Command) => {
    const query = queryOf(self, 'undo');
    if (id.startsWith('inc-')) query.set('incident', id);
    else query.append('parameter', `command=${id}`);
    await send(self, 'run', query);
  });
}

function addPanic(respond: Command): void {
  const command = respond
    .command('panic')
    .description('take back every action on this host, without the network and whether or not ringfence runs')
    .addHelpText('after', '\nIt needs root. Suspended processes go on. Killed processes stay dead.\n');
  withSettings(withReason(command)).action(async (_, self: Command) => {
    if (process.getuid?.() !== 0) throw new OperatorError('respond panic needs root: run it with sudo');
    process.exitCode = await panic(self);
  });
}
