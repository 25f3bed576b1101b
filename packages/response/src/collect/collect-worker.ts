/**
 * Reads evidence for the agent in a process of its own, because any read may never return: the agent ends this process
 * and goes on. It takes a request on its standard input and answers on another descriptor.
 */
import { closeSync, readFileSync } from 'node:fs';
import { messageOf } from '@ringfence/base';
import { dieWithParent, limitCpuSeconds } from '@ringfence/host-kit';
import type { EvidenceItem } from './chain.ts';
import type { CollectParameters, ParametersOf } from './parameters.ts';
import type { ReadRequest } from './protocol.ts';
import { Budget } from './worker/budget.ts';
import type { Reading } from './worker/content.ts';
import { readDirectory } from './worker/directory-reader.ts';
import { checkIdentity, openPath, readFile } from './worker/file-reader.ts';
import { readJournal, readLog } from './worker/log-reader.ts';
import { readMemory, residentBytes } from './worker/memory-reader.ts';
import { enterNetwork, readPackets } from './worker/packet-reader.ts';
import { readProcess } from './worker/process-reader.ts';
import { Refusal } from './worker/refusal.ts';
import { note, tell } from './worker/report.ts';
import { openScan, type Scan } from './worker/scan.ts';

/** Beyond the limit of CPU time that this process keeps itself, the kernel kills it. */
const CPU_GRACE_SECONDS = 2;

const request = JSON.parse(readFileSync(0, 'utf8')) as ReadRequest;
if (!dieWithParent(request.parent)) process.exit(1);
limitCpuSeconds(request.limits.cpuSeconds + CPU_GRACE_SECONDS);
const budget = new Budget(request.limits);

try {
  if (request.mode === 'plan') plan(request.parameters);
  else await collect(request.parameters);
} catch (error) {
  const reason = error instanceof Refusal ? error.reason : 'not-possible';
  tell({ type: 'refused', reason, message: messageOf(error) });
}
tell({ type: 'end', cut: budget.cut });
process.exit(0);

function tellPlan(target: string, bytes: number, files: number): void {
  tell({ type: 'plan', targets: [target], bytes, files });
}

function plan(parameters: CollectParameters): void {
  const { what } = parameters;
  if (what === 'process') tellPlan('what /proc shows of the process, and its executable', 0, 0);
  else if (what === 'memory') {
    const { regions, bytes } = residentBytes(parameters, budget);
    tellPlan(`${bytes} bytes in ${regions} regions of its memory`, bytes, 0);
  } else if (what === 'packets')
    tellPlan(`packets of the network of the ${request.hasTarget ? 'process' : 'host'}`, 0, 0);
  else if (parameters.path === undefined) tellPlan('the journal', 0, 0);
  else planPath(parameters, parameters.path);
}

function planPath(parameters: ParametersOf<'file' | 'directory' | 'log'>, path: string): void {
  withPath(path, parameters.what === 'directory' ? 'a directory' : 'a regular file', (fd) => {
    if (parameters.what === 'file') {
      const { size, allocated } = checkIdentity(fd, parameters);
      tellPlan(`${path}, ${size} bytes`, Math.min(size, allocated), 1);
    } else tellPlan(parameters.what === 'log' ? `lines of ${path}` : `the list of ${path}`, 0, 1);
  });
}

async function collect(parameters: CollectParameters): Promise<void> {
  const reading: Reading = { directory: request.directory, budget, scan: await scanOf(request.rules) };
  const source: EvidenceItem['source'] =
    parameters.pid === undefined ? {} : { pid: String(parameters.pid), start: parameters.start ?? '' };
  const { what } = parameters;
  if (what === 'process') readProcess(reading, source);
  else if (what === 'memory') {
    const seconds = parameters.freeze === true ? request.limits.freezeSeconds : Number.POSITIVE_INFINITY;
    readMemory(reading, parameters, source, seconds);
  } else if (what === 'packets') {
    if (request.hasTarget) enterNetwork();
    readPackets(reading, parameters);
  } else if (parameters.path === undefined) await readJournal(reading, parameters as ParametersOf<'log'>);
  else collectPath(reading, parameters, parameters.path);
}

function collectPath(reading: Reading, parameters: ParametersOf<'file' | 'directory' | 'log'>, path: string): void {
  withPath(path, parameters.what === 'directory' ? 'a directory' : 'a regular file', (fd) => {
    if (parameters.what === 'directory') readDirectory(reading, fd, parameters);
    else if (parameters.what === 'log') readLog(reading, fd, path, parameters);
    else {
      checkIdentity(fd, parameters);
      readFile(reading, fd, path);
    }
  });
}

function withPath(path: string, type: 'a regular file' | 'a directory', use: (fd: number) => void): void {
  const fd = openPath(path, request.hasTarget, type);
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}

async function scanOf(rules: string): Promise<Scan | null> {
  if (rules === '') return null;
  const scan = await openScan(rules);
  if (typeof scan !== 'string') return scan;
  note(scan);
  return null;
}
