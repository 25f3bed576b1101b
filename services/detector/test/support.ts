import assert from 'node:assert/strict';
import type { Effect, InRecord, StateChange, StateEntry } from '@ringfence/bus';
import { createEnricherPipeline } from '@ringfence/enricher';
import { type TestHost, type TestProcess, testRecords } from '@ringfence/testkit';
import { type Alert, decode, type Incident, TOPIC } from '@ringfence/wire';
import {
  compileDetectorRules,
  createDetectorPipeline,
  type DetectorOptions,
  type DetectorPipeline,
  type Rules,
} from '../src/index.ts';

/** One rule for each stage */
export const RULES = `
- rule: Download and execute
  desc: A file that was just written is executed
  condition: event.action = exec and process.executable startswith /tmp/
  priority: warning
  tags: [command_and_control, T1105]
- rule: Cron changed
  desc: A cron file is opened for writing
  condition: event.action = open and file.path startswith /etc/cron and file.open.write = true
  priority: warning
  tags: [persistence, T1053.003]
- rule: Shadow read
  desc: The password hashes are read
  condition: event.action = open and file.path = /etc/shadow
  priority: warning
  tags: [mitre_credential_access, attack.t1003.008]
- rule: Became root
  desc: A process became root
  condition: event.action = credentials
  priority: critical
  tags: [privilege_escalation]
- rule: Looked around
  desc: Somebody looks around
  condition: event.action = exec and process.name in (id, whoami, uname)
  priority: notice
  tags: [discovery]
`;

/** The rules before the one about password hashes */
export const CRON: string = RULES.split('- rule: Shadow read')[0]!;

export function createTestRules(text: string = RULES): Rules {
  const rules = compileDetectorRules([{ name: 'test.yaml', text }]);
  assert.deepEqual(rules.diagnostics, []);
  return rules;
}

export function createTestDetector(options: DetectorOptions = {}, text: string = RULES): DetectorPipeline {
  return createDetectorPipeline({ rules: createTestRules(text), options });
}

/** Enriches the batches of a host. */
export function createFeed(host: TestHost): { next(): InRecord[]; of(batches: readonly Uint8Array[]): InRecord[] } {
  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
  let offset = 0;
  const of = (batches: readonly Uint8Array[]): InRecord[] => {
    const { outputs } = enricher.handle(testRecords(host.hostId, batches));
    const values = outputs.flatMap(({ value }) => (value === null ? [] : [value]));
    const records = testRecords(host.hostId, values, TOPIC.events, offset);
    offset += records.length;
    return records;
  };
  return { next: () => of([host.batch()]), of };
}

export interface Found {
  readonly alerts: readonly Alert[];
  readonly incidents: readonly Incident[];
}

export function found({ outputs }: Effect): Found {
  const of = (topic: string): Uint8Array[] =>
    outputs.flatMap(({ topic: to, value }) => (to === topic && value !== null ? [value] : []));
  return {
    alerts: of(TOPIC.alerts).map((value) => decode('Alert', value)),
    incidents: of(TOPIC.incidents).map((value) => decode('Incident', value)),
  };
}

/** Returns the alerts and incidents of the records. */
export const detectOne = (detector: DetectorPipeline, records: readonly InRecord[]): Found =>
  found(detector.handle(records));

/** Returns the last version of each incident. */
export function latest(incidents: readonly Incident[]): Incident[] {
  return [...new Map(incidents.map((incident) => [incident.id, incident])).values()];
}

/** Keeps the state that effects write, as a bus does. */
export class TestStore {
  readonly #entries = new Map<string, StateChange>();

  apply({ state }: Effect): void {
    for (const change of state) {
      if (change.value === null) this.#entries.delete(change.key);
      else this.#entries.set(change.key, change);
    }
  }

  dump(): string[] {
    return [...this.#entries.values()]
      .map(({ key, value }) => `${key} ${Buffer.from(value ?? []).toString('latin1')}`)
      .sort();
  }

  async *entries(): AsyncGenerator<StateEntry & { readonly partition: number }> {
    for (const { key, value, partition, position } of [...this.#entries.values()].sort((a, b) =>
      a.key < b.key ? -1 : 1,
    )) {
      if (value !== null) yield { key, value, partition, position };
    }
  }
}

/** Returns the shell of an SSH login. */
export function loginShell(host: TestHost): TestProcess {
  return host.spawn(host.spawn(host.spawn(host.init, '/usr/sbin/sshd'), '/usr/sbin/sshd'), '/bin/bash');
}
