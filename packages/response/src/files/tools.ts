import type { Vault } from './vault.ts';

/** Points at which crash tests kill the process. */
export type FilePoint = 'begun' | 'copied' | 'denied' | 'moved' | 'sealed' | 'released' | 'returned' | 'restored';

export interface FileTools {
  readonly vault: Vault;
  readonly failpoint: (point: FilePoint) => void;
}
