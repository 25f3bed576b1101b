import { type BpfObject, possibleCpus } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';

/** Entries per CPU of the maps that are indexed by CPU. */
const ENTRIES_PER_CPU: Readonly<Record<string, number>> = {
  rf_counters: 1,
  rf_scratch_sec: 1,
  rf_scratch_bulk: 1,
  rf_scratch_prb: 1,
  rf_scratch_packet: 2,
  rf_scratch_cst: 2,
};
/** CPUs beyond this number share entries. */
const { CPUS_MAX } = records.CountersLimit;

/** Resizes the maps that are indexed by CPU. Call it before the object is loaded. */
export function sizeForCpus(object: BpfObject, cpus: number = possibleCpus()): void {
  for (const [map, entries] of Object.entries(ENTRIES_PER_CPU))
    object.definition(map).resize(entries * Math.min(cpus, CPUS_MAX));
}
