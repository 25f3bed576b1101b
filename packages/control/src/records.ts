import { decode, type Result, SchemaError } from '@ringfence/wire';
import { BadCommandError } from './errors.ts';
import { MAX_MESSAGE } from './wire.ts';

/** A message has more than the bytes it carries. */
const ENVELOPE = 64;

/** Throws BadCommandError. */
export function commandId(command: Uint8Array): string {
  if (command.length > MAX_MESSAGE - ENVELOPE) throw new BadCommandError(`it has ${command.length} bytes`);
  try {
    return decode('Command', command).id;
  } catch (cause) {
    if (cause instanceof SchemaError) throw new BadCommandError(cause.message, { cause });
    throw cause;
  }
}

/** null: the bytes are no Result. */
export function readResult(bytes: Uint8Array): Result | null {
  try {
    return decode('Result', bytes);
  } catch (error) {
    if (error instanceof SchemaError) return null;
    throw error;
  }
}
