import { availableParallelism } from 'node:os';
import { count } from './figures.ts';
import type { LoadMode, LoadResult, Programs } from './programs.ts';
import { type Compile, redisCommand } from './workloads.ts';

/** Opens per second of a watched file that must all arrive */
const WATCHED_RATE = 250_000;
const LAST_CPU = availableParallelism() - 1;

/** The cost of a load, per operation or in total, in the unit that `show` expects */
export interface Cost {
  /** Wall time */
  readonly time: number;
  /** CPU time of the load's programs; NaN when it is not known */
  readonly cpu: number;
}

export interface WatchedLoad {
  readonly name: string;
  readonly target: string;
  readonly by: keyof Cost;
  readonly run: () => Promise<Cost>;
  readonly show: (cost: number) => string;
  /** Set when the rings cannot hold the load's records while the agent is suspended */
  readonly floods?: true;
}

export interface LoadEnvironment {
  readonly programs: Programs;
  /** Directory whose files a rule watches */
  readonly watched: string;
  /**
   * A sibling of `watched` whose first three path components begin as those of `watched`: the sensor's quick check,
   * which suffices for most paths, cannot rule it out.
   */
  readonly sibling: string;
  readonly compile: Compile;
  readonly redisPort: number;
  /** Duration of a loop, s */
  readonly seconds: number;
}

const micros = (value: number): string => `${value.toFixed(value < 10 ? 3 : 1)} µs`;
const seconds = (value: number): string => `${value.toFixed(2)} s`;

export function watchedLoads(environment: LoadEnvironment): WatchedLoad[] {
  const { programs, watched, sibling, compile, redisPort, seconds: length } = environment;
  const opens = (dir: string, rate: number) => async (): Promise<Cost> => {
    const { cpu_s, ops, ops_per_s } = await programs.load('open', length, rate, null, dir);
    return { time: 1e6 / ops_per_s, cpu: (cpu_s / ops) * 1e6 };
  };
  const loop = (mode: LoadMode, cpu: number | null) => async (): Promise<Cost> => {
    const { output, cpu_s } = await programs.timed(programs.loadCommand(mode, length), cpu);
    const { ops, ops_per_s } = JSON.parse(output) as LoadResult;
    return { time: 1e6 / ops_per_s, cpu: (cpu_s / ops) * 1e6 };
  };
  const program = (command: readonly string[], hasAllCpu: boolean) => async (): Promise<Cost> => {
    const { seconds: time, cpu_s } = await programs.timed(command);
    return { time, cpu: hasAllCpu ? cpu_s : Number.NaN };
  };
  const loops: readonly Pick<WatchedLoad, 'name' | 'target' | 'by' | 'run' | 'floods'>[] = [
    {
      name: 'open, not watched',
      target: 'CPU ≤ 1.4, 0 dropped, agent < 10 %',
      by: 'cpu',
      run: opens(programs.directory, 0),
    },
    { name: 'open, beside a watched one', target: '', by: 'cpu', run: opens(sibling, 0) },
    { name: 'open, watched', target: 'CPU ≤ 1.8', by: 'cpu', run: opens(watched, 0), floods: true },
    {
      name: `open, watched, ${count(WATCHED_RATE)}/s`,
      target: '0 dropped',
      by: 'cpu',
      run: opens(watched, WATCHED_RATE),
      floods: true,
    },
    { name: 'exec', target: '≤ 1.05, agent ≤ 8 %', by: 'time', run: loop('exec', null) },
    { name: 'mixed', target: '≤ 1.09 (0.92 × the rate), agent ≤ 25 %', by: 'time', run: loop('mixed', null) },
    { name: 'connect + accept + close', target: '≤ 1.10', by: 'time', run: loop('connect', LAST_CPU) },
    { name: 'getpid', target: '≤ 1.30', by: 'time', run: loop('getpid', LAST_CPU) },
  ];
  return [
    ...loops.map((load) => ({ ...load, show: micros })),
    { name: 'make -j2', target: '≤ 1.03', by: 'time', run: program(compile.command, true), show: seconds },
    // The CPU time of the server is not included, so the benchmark's CPU time would mislead.
    {
      name: 'redis-benchmark',
      target: '≤ 1.03',
      by: 'time',
      run: program(redisCommand(redisPort), false),
      show: seconds,
    },
  ];
}
