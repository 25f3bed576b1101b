import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileDetectorRules, interestOf } from '@ringfence/detector';
import { createSigningKey, type SigningKey } from '@ringfence/wire';
import { sources } from '../content.ts';
import { LabLogs } from '../lab/logs.ts';
import { LIBRARY, OUTSIDE, remembered, Sandbox } from '../lab/sandbox.ts';
import { LabSensor } from '../lab/sensor.ts';
import { Slice } from '../lab/slice.ts';
import { hostOf, type PlayedAction } from '../recordings/library.ts';
import type { Procedure } from './corpus.ts';

/** A procedure's script ends by itself within half of this time. */
const LIMIT_MS = 30_000;
const BEFORE = '. /opt/lab/lib.sh; chmod 755 /opt/lab; private_dev; outside; shells /usr/sbin/httpd';
const IMAGE = 'shop:1';

export interface PlayProceduresOptions {
  /** Number of sandboxes that play at the same time. */
  readonly lanes: number;
  /** Number of procedures that are played before the others begin. @default 0 */
  readonly first?: number;
  /** Ends the current procedures, which are not reported, and the rest. */
  readonly signal?: AbortSignal;
  /** Called after each procedure. Its exit code is null if the time passed. */
  readonly onPlayed: (procedure: Procedure, played: PlayedAction, code: number | null, stderr: string) => void;
}

/** Plays procedures in sandboxes, under a sensor with the interest of the built-in rules of both profiles. */
export async function playProcedures(procedures: readonly Procedure[], options: PlayProceduresOptions): Promise<void> {
  const { lanes, first = 0, signal, onPlayed } = options;
  const programsDir = fillPrograms();
  const key = createSigningKey();
  const listeners = new Set<(batch: Buffer) => void>();
  try {
    await using sensor = await LabSensor.start(
      (batch) => {
        for (const listener of listeners) listener(batch);
      },
      { interest: interestOf(compileDetectorRules(sources, 'hunt')) },
    );
    const numbered = [...procedures.entries()];
    for (const part of [numbered.slice(0, first), numbered.slice(first)]) {
      const waiting = part.values();
      const lane = async (): Promise<void> => {
        for (const [n, procedure] of waiting) {
          if (signal?.aborted) return;
          const played = await playOne(procedure, { n, sensor, key, programsDir, listeners, signal });
          if (!signal?.aborted) onPlayed(procedure, ...played);
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
    }
  } finally {
    rmSync(programsDir, { recursive: true, force: true });
  }
}

interface Stage {
  readonly n: number;
  readonly sensor: LabSensor;
  readonly key: SigningKey;
  readonly programsDir: string;
  readonly listeners: Set<(batch: Buffer) => void>;
  readonly signal: AbortSignal | undefined;
}

async function playOne(procedure: Procedure, stage: Stage): Promise<[PlayedAction, number | null, string]> {
  const { n, sensor, key, programsDir, listeners, signal } = stage;
  const { name: title, user, isInContainer, setup, script } = procedure;
  const name = `ringfence-procedure-${process.pid}-${n}`;
  const image = isInContainer ? IMAGE : undefined;
  await using sandbox = new Sandbox({
    ...{ name, image, programsDir, confinedTo: user },
    containersDir: sensor.containersDir,
  });
  const isWanted = remembered((cgroup) => sandbox.holds(cgroup));
  const slice = new Slice({ hostId: hostOf(title), bootId: hostOf(title), key, isWanted });
  const batches: Buffer[] = [];
  const take = (batch: Buffer): void => {
    const taken = slice.take(batch);
    if (taken !== undefined) batches.push(taken);
  };
  listeners.add(take);
  try {
    const root = join(programsDir, name);
    const onRecord = (record: Buffer): unknown => batches.push(record);
    await using logs = new LabLogs({ hostId: hostOf(title), key, root, onRecord });
    // Attackers type commands or bring files: a shell's command line has no whole script.
    writeFileSync(join(programsDir, `${n}.sh`), `. /opt/lab/lib.sh\n${script}`, { mode: 0o644 });
    const log = setup.includes('prepare_sshd') ? '\nstart_log' : '';
    const before = `${BEFORE}\n${setup}${log}`;
    const { code, stderr } = await sandbox.play(`. /opt/lab/${n}.sh`, LIMIT_MS, before, signal);
    await sensor.settle();
    await logs.settle();
    return [{ key: key.publicKey, batches }, code, stderr];
  } finally {
    listeners.delete(take);
  }
}

/** Returns a folder with the programs that scripts find in /opt/lab. */
function fillPrograms(): string {
  const programsDir = mkdtempSync(join(tmpdir(), 'ringfence-procedures-'));
  chmodSync(programsDir, 0o755);
  copyFileSync('/bin/true', join(programsDir, 'true'));
  copyFileSync(LIBRARY, join(programsDir, 'lib.sh'));
  copyFileSync(OUTSIDE, join(programsDir, 'outside.py'));
  writeCertificate(join(programsDir, 'outside.pem'));
  return programsDir;
}

/** Writes a new key and its certificate to one file. */
function writeCertificate(path: string): void {
  const [key, certificate] = [`${path}.key`, `${path}.crt`];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=outside', '-days', '30', '-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...curve, ...names], { stdio: 'ignore' });
  writeFileSync(path, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'));
}
