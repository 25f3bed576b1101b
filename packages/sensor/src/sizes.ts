import { type BpfObject, possibleCpus } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';

/** Maps with so many entries for each CPU. */
const PER_CPU: Readonly<Record<string, number>> = {
  rf_counters: 1,
  rf_scratch_sec: 1,
  rf_scratch_bulk: 1,
  rf_scratch_prb: 1,
  rf_scratch_packet: 2,
  rf_scratch_cst: 2,
};
/** CPUs beyond share. */
const { CPUS_MAX } = records.CountersLimit;

/** Before the sensor is loaded: its maps with entries for each CPU get as many as `cpus` need. */
export function sizeForCpus(object: BpfObject, cpus: number = possibleCpus()): void {
  for (const [map, entries] of Object.entries(PER_CPU))
    object.definition(map).resize(entries * Math.min(cpus, CPUS_MAX));
}
