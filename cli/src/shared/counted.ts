import { grouped } from './grouped.ts';

/** 1 rule, 2,000 rules */
export function counted(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : plural}`;
}
