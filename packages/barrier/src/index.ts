export {
  type AgentProcess,
  BARRIER_OBJECT,
  Barrier,
  type BarrierAction,
  type BarrierOptions,
  barrierPins,
  NEVER,
  removeBarrier,
} from './barrier.ts';
export { type BarrierCounts, COUNTED } from './counts.ts';
export { domainOf, type Network, networkOf, networkText, overlap } from './network.ts';
export { type BarrierRule, HOST } from './rules.ts';
