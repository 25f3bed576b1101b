import type { BpfObject } from '@ringfence/libbpf-ts';
import { ControlBlock } from './control-block.ts';
import { FileTable } from './file-table.ts';
import { InterestTable } from './interest-table.ts';
import { SharedBytes } from './shared-bytes.ts';
import { nameKey, prefixKey, variableKey, WatchedTexts } from './watched-texts.ts';

/** The settings and tables by which the sensor decides which events it sends. */
export interface SensorFilter {
  readonly control: ControlBlock;
  readonly interests: InterestTable;
  readonly watched: {
    /** path prefixes whose opens are sent */
    readonly prefixes: WatchedTexts;
    /** file names whose opens are sent */
    readonly names: WatchedTexts;
    /** names of executables all of whose opens are sent */
    readonly executables: WatchedTexts;
    /** path prefixes of which changes are sent, in addition to `prefixes` */
    readonly changedPrefixes: WatchedTexts;
    /** file names of which changes are sent, in addition to `names` */
    readonly changedNames: WatchedTexts;
    /** names of environment variables that execs have besides the usual ones */
    readonly variables: WatchedTexts;
  };
  /** the files that are recognized by identity */
  readonly files: FileTable;
  /** rf_unwatched and rf_unnamed: bit n is set if no watched prefix, or name, has hash n */
  readonly hashes: { readonly unwatched: SharedBytes; readonly unnamed: SharedBytes };
}

/** Opens the filter of a loaded object. */
export function openFilter(object: BpfObject): SensorFilter {
  const bss = object.section('.bss');
  const control = new ControlBlock(bss.int32('rf_control'));
  return {
    control,
    interests: new InterestTable(bss.bytes('rf_interests'), bss.bytes('rf_interest_ports'), control),
    watched: {
      prefixes: new WatchedTexts(object.map('rf_watched'), prefixKey),
      names: new WatchedTexts(object.map('rf_names'), nameKey),
      executables: new WatchedTexts(object.map('rf_executables'), nameKey),
      changedPrefixes: new WatchedTexts(object.map('rf_changed'), prefixKey),
      changedNames: new WatchedTexts(object.map('rf_changed_names'), nameKey),
      variables: new WatchedTexts(object.map('rf_variables'), variableKey),
    },
    files: new FileTable({
      files: object.map('rf_files'),
      paths: object.map('rf_file_paths'),
      hashes: bss.bytes('rf_file_hashes'),
    }),
    hashes: {
      unwatched: new SharedBytes(bss.bytes('rf_unwatched')),
      unnamed: new SharedBytes(bss.bytes('rf_unnamed')),
    },
  };
}
