import { z } from 'zod';
import { sha256Text } from '../parameter-types.ts';
import { type FileAttributes, fileAttributes } from './attributes.ts';
import { type InodeId, inodeId, type Place, place } from './place.ts';

/** All that is needed to take one file, and to give it back after a crash at any moment of either. */
export interface TakenFile {
  /** Name of the folder in the vault. */
  readonly key: string;
  /** The process in whose mount namespace the file is: a pid, or `self`. */
  readonly process: string;
  readonly namespace: string;
  readonly places: readonly Place[];
  readonly file: InodeId;
  /** By which the kernel finds the inode while it exists, in base64; null: the file system has none. */
  readonly handle: string | null;
  readonly sha256: string;
  readonly bytes: number;
  readonly attributes: FileAttributes;
}

const PLACES_MAX = 1024;

export const takenFile: z.ZodType<TakenFile> = z.strictObject({
  key: z.string().regex(/^[\da-f]{32}$/),
  process: z.string().regex(/^(?:self|[1-9]\d{0,9})$/),
  namespace: z.string().regex(/^mnt:\[\d{1,10}\]$/),
  places: z.array(place).min(1).max(PLACES_MAX),
  file: inodeId,
  handle: z.base64().max(256).nullable(),
  sha256: sha256Text,
  bytes: z.int().min(0),
  attributes: fileAttributes,
});

/** The name that a place has for a moment, where the vault is on another file system. */
export const stagingName = (key: string, index: number): Buffer => Buffer.from(`.ringfence-${key}-${index}`);
