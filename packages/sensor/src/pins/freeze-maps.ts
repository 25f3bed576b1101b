import { BpfError, BpfMap } from '@ringfence/libbpf-ts';
import { pinnedMaps } from '../tampering/own-links.ts';

/** Maps that user space writes to after the load, or has mapped for writing. bpf/README.md has the reasons. */
export const WRITTEN_MAPS: ReadonlySet<string> = new Set([
  'rf_ring_security',
  'rf_ring_bulk',
  'rf_bss',
  'rf_run',
  'rf_watched',
  'rf_names',
  'rf_executables',
  'rf_changed',
  'rf_changed_names',
  'rf_variables',
  'rf_files',
  'rf_file_paths',
  'rf_scopes',
  'rf_dooms',
  'rf_spared',
  'rf_own_links',
  'rf_own_objects',
  'rf_custom_plans',
  'rf_custom_states',
]);

/**
 * Freezes all other maps of a loaded sensor: only its programs can change them from now on. Call it when all programs
 * are loaded, since the load fills rf_refused.
 */
export function freezeMaps(pinPath: string): void {
  for (const name of pinnedMaps(pinPath)) {
    if (WRITTEN_MAPS.has(name)) continue;
    using map = BpfMap.openPinnedBytes(`${pinPath}/${name}`);
    try {
      map.freeze();
    } catch (error) {
      // A process that has the map mapped for writing prevents it; opening the map was reported as tampering.
      if (!(error instanceof BpfError)) throw error;
    }
  }
}
