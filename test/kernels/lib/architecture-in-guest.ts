/**
 * Runs in a guest of another architecture: loads and attaches every program, then provokes an exec, a file change and a
 * change of the personality. Prints one line of JSON.
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cgroup2, fullProfile, Scratch, sensorObject, TestSensor } from '@ringfence/testkit/sensor';
import { judgePrograms, type ProgramVerdict } from './programs.ts';

export interface ArchitectureReport {
  readonly architecture: string;
  readonly programs: readonly ProgramVerdict[];
  /** attach methods of the full profile's programs */
  readonly ways: readonly string[];
  /** after `mkdir link/made`, where the link leads to the directory `real`: texts of the exec, and the file change */
  readonly exec: { readonly [text: string]: string };
  readonly change: { readonly path: string; readonly sourceCaller: number };
  readonly directory: string;
  /** after `linux32 true` */
  readonly personality: { readonly persona: string; readonly result: number } | undefined;
}

if (import.meta.main) {
  const object = await sensorObject();
  const programs = judgePrograms(object, cgroup2() ?? '');
  const ways = [
    ...new Set([...fullProfile(object).programs].map((name) => /_(fentry|kprobe)$/.exec(name)?.[1] ?? 'lsm')),
  ];
  using scratch = new Scratch();
  using sensor = await TestSensor.start({ full: ways.length > 0 });
  sensor.control({ all_opens: 1 });
  mkdirSync(join(scratch.path, 'real'));
  symlinkSync('real', join(scratch.path, 'link'));
  const records = await sensor.run('mkdir', ['link/made'], { cwd: scratch.path });
  const exec = records.find(({ type }) => type === 'rf_exec');
  const change = records.find(({ type }) => type === 'rf_file_change');
  if (exec === undefined || change === undefined) throw new Error(`there are only ${records.map(({ type }) => type)}`);
  const isolation = (await sensor.run('linux32', ['true'])).find(({ type }) => type === 'rf_isolation');
  const report: ArchitectureReport = {
    architecture: process.arch,
    programs,
    ways,
    exec: Object.fromEntries(Object.entries(exec.texts).map(([name, { bytes }]) => [name, bytes.toString('latin1')])),
    change: {
      path: change.texts['path']?.bytes.toString() ?? '',
      sourceCaller: Number(change.fields['source_caller']),
    },
    directory: scratch.path,
    personality: isolation && {
      persona: String(isolation.fields['option']),
      result: Number(isolation.fields['result']),
    },
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
