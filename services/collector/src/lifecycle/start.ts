import { endsWithin, type Log } from '@ringfence/base';
import { bootMicros, releaseFreeMemory, wallOffset } from '@ringfence/host-kit';
import { type ByteShare, markSensor, type Sensor, type Shares } from '@ringfence/sensor';
import { u64ToHex } from '@ringfence/wire';
import type { CompiledOptions } from '../config.ts';
import type { AgentDeps, AgentParts } from '../parts.ts';
import { writeSnapshot } from '../steps/snapshot.ts';
import type { CycleLoop } from './cycle-loop.ts';
import { identifyAgent } from './identify.ts';

/** The files that give access are known before the first hook, unless a file system does not answer. */
const FILES_MAX_MS = 2000;

/**
 * Starts context sources, attaches hooks and reads the running processes, in the order that leaves no event with an
 * unknown parent. `pastTampering` is tampering from before this start that the sensor cannot report itself (struct
 * rf_tampering_entry each); its events follow the snapshot, which makes their processes known.
 */
export async function startAgent(
  parts: AgentParts,
  loop: CycleLoop,
  deps: AgentDeps,
  pastTampering: readonly Buffer[],
): Promise<void> {
  const { sensor, interest, files, pipeline, tampering } = parts;
  const { batch, agentEvents, sources } = pipeline;
  const { stateDir, pinPath } = deps.options;
  setUpControlBlock(sensor, deps);
  interest.start(sensor.resumed);
  if (deps.interest !== undefined) interest.apply(deps.interest);
  batch.facts.wallOffset = wallOffset();
  agentEvents.ktime = bootMicros();
  for (const source of sources) source.start(agentEvents);
  await endsWithin(files.settled(), FILES_MAX_MS);
  if (sensor.resumed) await resume(parts, loop);
  else attach(parts);
  tampering.report(pastTampering);
  markSensor(stateDir, { bootId: deps.identity.bootId, pinPath });
  const probes = sensor.hooks.attachProbes();
  parts.customProbes.attach();
  await parts.actions.recover();
  sensor.hooks.pinPrograms();
  await loop.cycle();
  releaseFreeMemory();
  logStart(sensor, probes, deps.log);
}

function setUpControlBlock(sensor: Sensor, { options, partner, log }: AgentDeps): void {
  const { control } = sensor.filter;
  control.disarm();
  identifyAgent(sensor, partner, log);
  control.shares = sharesOf(options);
  control.byteShares = byteSharesOf(options);
}

/** A cgroup is held to its share only while a ring is more than half full. */
function sharesOf({ sharePerSecond, shareBurst, ringSecurityBytes, ringBulkBytes }: CompiledOptions): Shares | null {
  if (sharePerSecond === 0) return null;
  return { perSecond: sharePerSecond, burst: shareBurst, fromBytes: [ringSecurityBytes / 2, ringBulkBytes / 2] };
}

/** How much more a cgroup may write to the bulk ring than to the security ring. */
const BULK_SHARE = 8;
/** The part of a ring that a cgroup may fill at once, beyond its rate. */
const BURST_OF_RING = 1 / 64;

function byteSharesOf(options: CompiledOptions): readonly [ByteShare | null, ByteShare | null] {
  const { shareBytesPerSecond, ringSecurityBytes, ringBulkBytes } = options;
  if (shareBytesPerSecond === 0) return [null, null];
  const shareOf = (ring: number, bytesPerSecond: number): ByteShare => ({
    ...{ bytesPerSecond, burstBytes: ring * BURST_OF_RING, fromBytes: ring / 2, untilBytes: (ring * 3) / 4 },
  });
  return [shareOf(ringSecurityBytes, shareBytesPerSecond), shareOf(ringBulkBytes, BULK_SHARE * shareBytesPerSecond)];
}

function attach({ sensor, snapshot }: AgentParts): void {
  const before = bootMicros();
  sensor.hooks.attachLifecycle();
  writeSnapshot(sensor.processes(), before, snapshot);
  sensor.hooks.attachRemaining();
  sensor.hooks.adoptSockets();
}

/** Drains the pinned rings first: their records are older than the processes that run now. */
async function resume({ sensor, snapshot }: AgentParts, loop: CycleLoop): Promise<void> {
  while ((await loop.cycle()).more);
  writeSnapshot(sensor.processes(), bootMicros(), snapshot);
}

function logStart(sensor: Sensor, { probed, absent }: ReturnType<Sensor['hooks']['attachProbes']>, log: Log): void {
  const { count: hooks, full, tracepointReason: onTracepoints } = sensor.hooks;
  sensor.hooks.logMissing(log);
  if (absent.length > 0) log.info({ absent }, 'this host has no such files to probe');
  log.info(
    { hooks, probed, full: [...full], onTracepoints, resumed: sensor.resumed, run: u64ToHex(sensor.run.id) },
    'the sensor is in place',
  );
}
