import { availableParallelism } from 'node:os';
import { count } from './figures.ts';
import type { LoadMode, LoadResult, Programs } from './programs.ts';
import { type Compile, redisCommand } from './workloads.ts';

/** Opens a second of a watched file that must all arrive. */
const WATCHED_RATE = 250_000;
const LAST_CPU = availableParallelism() - 1;

/** What a load costs, in the unit that `show` expects: an operation, or all of it. */
export interface Cost {
  /** wall time */
  readonly time: number;
  /** CPU of the programs that it consists of; NaN: isn't known */
  readonly cpu: number;
}

export interface WatchedLoad {
  readonly name: string;
  readonly target: string;
  readonly by: keyof Cost;
  readonly run: () => Promise<Cost>;
  readonly show: (cost: number) => string;
  /** more than the rings hold while the agent is stopped */
  readonly floods?: true;
}

export interface LoadPlace {
  readonly programs: Programs;
  /** a directory whose files a rule watches */
  readonly watched: string;
  /** one beside it, the first three components of whose path begin as those of `watched` do: that is all the sensor asks of most paths */
  readonly beside: string;
  readonly compile: Compile;
  readonly redisPort: number;
  /** of a loop, s */
  readonly seconds: number;
}

const micros = (value: number): string => `${value.toFixed(value < 10 ? 3 : 1)} µs`;
const seconds = (value: number): string => `${value.toFixed(2)} s`;

export function watchedLoads(place: LoadPlace): WatchedLoad[] {
  const { programs, watched, beside, compile, redisPort, seconds: length } = place;
  const opens = (dir: string, rate: number) => async (): Promise<Cost> => {
    const { cpu_s, ops, ops_per_s } = await programs.load('open', length, rate, null, dir);
    return { time: 1e6 / ops_per_s, cpu: (cpu_s / ops) * 1e6 };
  };
  const loop = (mode: LoadMode, cpu: number | null) => async (): Promise<Cost> => {
    const { output, cpu_s } = await programs.timed(programs.loadCommand(mode, length), cpu);
    const { ops, ops_per_s } = JSON.parse(output) as LoadResult;
    return { time: 1e6 / ops_per_s, cpu: (cpu_s / ops) * 1e6 };
  };
  const whole = (command: readonly string[], alone: boolean) => async (): Promise<Cost> => {
    const { seconds: time, cpu_s } = await programs.timed(command);
    return { time, cpu: alone ? cpu_s : Number.NaN };
  };
  const loops: readonly Pick<WatchedLoad, 'name' | 'target' | 'by' | 'run' | 'floods'>[] = [
    {
      name: 'open, not watched',
      target: 'CPU ≤ 1.4, 0 dropped, agent < 10 %',
      by: 'cpu',
      run: opens(programs.directory, 0),
    },
    { name: 'open, beside a watched one', target: '', by: 'cpu', run: opens(beside, 0) },
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
    { name: 'make -j2', target: '≤ 1.03', by: 'time', run: whole(compile.command, true), show: seconds },
    // The server's own CPU isn't in it.
    {
      name: 'redis-benchmark',
      target: '≤ 1.03',
      by: 'time',
      run: whole(redisCommand(redisPort), false),
      show: seconds,
    },
  ];
}
