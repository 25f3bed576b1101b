import type { ChaosCase } from '../lib/case.ts';
import { brokers } from './brokers.ts';
import { certificates } from './certificates.ts';
import { clocks } from './clocks.ts';
import { kills } from './kills.ts';
import { members } from './members.ts';
import { network } from './network.ts';
import { redisCases } from './redis.ts';
import { search } from './search.ts';

export const CASES: readonly ChaosCase[] = [
  ...kills,
  ...members,
  ...redisCases,
  ...search,
  ...network,
  ...certificates,
  ...brokers,
  // Last, because it leaves two hosts with wrong clocks.
  ...clocks,
];
